# role: architecture
# rule: prism:no-attribute-escape
# tries: __deepcopy__ = keep in a class body is no def, and keeps the memo.
import copy

memos = []


def keep(own, memo):
    memos.append(memo)
    return own


class Own:
    __deepcopy__ = keep


class Holder:
    def __init__(self, ctx):
        self.ctx = ctx


def build_model(ctx):
    copy.deepcopy([Holder(ctx), Own()])
    memo = memos[0]
    return [kept for kept in memo[id(memo)] if isinstance(kept, dict)]
