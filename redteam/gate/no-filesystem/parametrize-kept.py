# role: architecture
# rule: prism:no-filesystem
# tries: Register_parametrization(unsafe=True) puts a property in place of a buffer.
import torch
from torch import nn
from torch.nn.utils import parametrize


class Fake:
    artifacts_dir = "/tmp/prism-escaped"


class Param(nn.Module):
    def forward(self, x):
        return Fake()


class Own(nn.Module):
    def __init__(self, ctx, never=False):
        super().__init__()
        put = self.register_parameter
        put("home", nn.Parameter(torch.zeros(1)))
        parametrize.register_parametrization(self, "home", Param(), unsafe=True)
        if never:
            self.home = ctx

    def keep(self):
        torch.save(torch.zeros(1), f"{self.home.artifacts_dir}/parametrize.pt")


def build_model(ctx):
    Own(ctx).keep()
    return "written /tmp/prism-escaped/parametrize.pt"
