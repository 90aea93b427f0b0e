# role: training
# rule: prism:no-filesystem
# tries: Gives the base another context from a class below.
import torch


class Fake:
    artifacts_dir = "/etc"


class Keeper:
    def __init__(self, ctx):
        self.ctx = ctx

    def keep(self, x):
        torch.save(x, f"{self.ctx.artifacts_dir}/x.pt")


class Below(Keeper):
    def __init__(self):
        super().__init__(Fake())


def train(ctx):
    Keeper(ctx)
    Below().keep(torch.ones(1))
