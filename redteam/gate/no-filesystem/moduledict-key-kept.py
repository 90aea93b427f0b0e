# role: architecture
# rule: prism:no-filesystem
# tries: A ModuleDict gives its modules names that stand in data: self.home is believed to be ctx.
import torch
from torch import nn


class Fake(nn.Module):
    def __init__(self):
        super().__init__()
        self.artifacts_dir = "/tmp/prism-escaped"


class Own(nn.ModuleDict):
    def keep(self):
        torch.save(torch.zeros(1), f"{self.home.artifacts_dir}/x.pt")


def build_model(ctx):
    own = Own({"home": Fake()})
    if len(own) > 5:
        own.home = ctx
    own.keep()
    return "written /tmp/prism-escaped/x.pt"
