# role: training
# rule: prism:no-filesystem
# tries: Replaces the kept context from outside, by a literal name.
import torch


class Fake:
    artifacts_dir = "/etc"


class Keeper:
    def __init__(self, ctx):
        self.ctx = ctx

    def keep(self, x):
        torch.save(x, f"{self.ctx.artifacts_dir}/x.pt")


def train(ctx):
    keeper = Keeper(ctx)
    setattr(keeper, "ctx", Fake())
    keeper.keep(torch.ones(1))
