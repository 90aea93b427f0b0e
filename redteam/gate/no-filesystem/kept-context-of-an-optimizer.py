# role: training
# rule: prism:no-filesystem
# tries: Keeps the context under a name that the class of torch then gives another value.
import torch


class Fake(dict):
    artifacts_dir = "/etc"


class Keeper(torch.optim.Optimizer):
    def __init__(self, ctx):
        self.defaults = ctx
        super().__init__([torch.ones(1)], Fake())

    def keep(self, x):
        torch.save(x, f"{self.defaults.artifacts_dir}/x.pt")


def train(ctx):
    Keeper(ctx).keep(torch.ones(1))
