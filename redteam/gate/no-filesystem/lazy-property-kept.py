# role: architecture
# rule: prism:no-filesystem
# tries: Lazy_property sets self.home, which is believed to be ctx.
import torch
from torch.distributions.utils import lazy_property


class Fake:
    artifacts_dir = "/tmp/prism-escaped"


def home(own):
    return Fake()


class Own:
    trick = lazy_property(home)

    def __init__(self, ctx):
        self.home = ctx
        self.trick

    def keep(self):
        torch.save(torch.zeros(1), f"{self.home.artifacts_dir}/lazy.pt")


def build_model(ctx):
    Own(ctx).keep()
    return "written /tmp/prism-escaped/lazy.pt"
