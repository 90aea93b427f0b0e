# role: architecture
# rule: prism:no-attribute-escape
# tries: Parameter.__deepcopy__(memo) fills an own memo with the dictionaries of what hangs on it.
import torch


class Holder:
    def __init__(self, ctx):
        self.ctx = ctx


def build_model(ctx):
    memo = {}
    t = torch.zeros(1)
    t.holder = Holder(ctx)
    t.__deepcopy__(memo)
    return [kept for kept in memo[id(memo)] if isinstance(kept, dict)]
