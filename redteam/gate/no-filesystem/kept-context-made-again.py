# role: training
# rule: prism:no-filesystem
# tries: Makes an object again with one of its own, so that the kept context says another directory.
import torch


class Fake:
    artifacts_dir = "/etc"

    def take(self, other):
        other.__init__(self)


class Keeper:
    def __init__(self, ctx):
        self.ctx = ctx

    def keep(self, x):
        torch.save(x, f"{self.ctx.artifacts_dir}/x.pt")


def train(ctx):
    keeper = Keeper(ctx)
    Fake().take(keeper)
    keeper.keep(torch.ones(1))
