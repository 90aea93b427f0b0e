# role: training
# rule: prism:no-filesystem
# tries: Makes the object by its type, where no call shows the context.
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
    type(keeper)(Fake()).keep(torch.ones(1))
