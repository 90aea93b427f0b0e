# role: architecture
# rule: prism:no-filesystem
# tries: Nn.Sequential(OrderedDict) gives its modules names that stand in data.
from collections import OrderedDict

import torch
from torch import nn


class Fake(nn.Module):
    def __init__(self):
        super().__init__()
        self.artifacts_dir = "/tmp/prism-escaped"


class Own(nn.Sequential):
    def keep(self):
        torch.save(torch.zeros(1), f"{self.home.artifacts_dir}/y.pt")


def build_model(ctx):
    own = Own(OrderedDict([("home", Fake())]))
    if len(own) > 5:
        own.home = ctx
    own.keep()
    return "written /tmp/prism-escaped/y.pt"
