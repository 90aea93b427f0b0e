# role: architecture
# rule: prism:no-attribute-escape
# tries: __getattr__ answers for __deepcopy__ and is given the memo, which keeps the dictionaries of others.
import copy

memos = []


class Own:
    def take(self, memo):
        memos.append(memo)
        return self

    def __getattr__(self, name):
        if len(name) == 12 and name[2] == "d":
            return self.take
        raise AttributeError(name)


class Holder:
    def __init__(self, ctx):
        self.ctx = ctx


def build_model(ctx):
    copy.deepcopy([Holder(ctx), Own()])
    memo = memos[0]
    return [kept for kept in memo[id(memo)] if isinstance(kept, dict)]
