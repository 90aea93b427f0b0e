# role: architecture
# rule: prism:no-filesystem
# tries: Add = self.add_module stores under another name, which the index does not count.
import torch
from torch import nn


class Fake(nn.Module):
    def __init__(self):
        super().__init__()
        self.artifacts_dir = "/tmp/prism-escaped"


class Own(nn.Module):
    def __init__(self, ctx, never=False):
        super().__init__()
        add = self.add_module
        add("home", Fake())
        if never:
            self.home = ctx

    def keep(self):
        torch.save(torch.zeros(1), f"{self.home.artifacts_dir}/z.pt")


def build_model(ctx):
    Own(ctx).keep()
    return "written /tmp/prism-escaped/z.pt"
