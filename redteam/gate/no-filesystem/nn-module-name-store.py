# role: architecture
# rule: prism:no-filesystem
# tries: Own Module: register_buffer through map.
import torch
from torch import nn


class Fake(nn.Module):
    def __init__(self):
        super().__init__()
        self.artifacts_dir = "/tmp/prism-escaped"


class Own(nn.Module):
    def __init__(self, ctx, never=False):
        super().__init__()
        list(map(self.register_module, ["home"], [Fake()]))
        if never:
            self.home = ctx

    def keep(self):
        torch.save(torch.zeros(1), f"{self.home.artifacts_dir}/map.pt")


def build_model(ctx):
    Own(ctx).keep()
    return "written /tmp/prism-escaped/map.pt"
