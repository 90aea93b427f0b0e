# role: training
# rule: prism:no-harness-access
# tries: Calls train with an object that says another directory.
import torch


class Fake:
    artifacts_dir = "/tmp"


def train(ctx):
    torch.save({}, f"{ctx.artifacts_dir}/x.pt")


train(Fake())
