# role: architecture
# rule: prism:no-filesystem
# tries: Functional_call sets an attribute for the time of a call under a name in data.
import torch
from torch import nn


class Fake(torch.Tensor):
    artifacts_dir = "/tmp/prism-escaped"


class Own(nn.Module):
    def __init__(self, ctx, never=False):
        super().__init__()
        if never:
            self.home = ctx

    def forward(self):
        torch.save(1, f"{self.home.artifacts_dir}/functional.pt")


def build_model(ctx):
    fake = torch.zeros(1).as_subclass(Fake)
    torch.func.functional_call(Own(ctx), {"home": fake}, ())
    return "written /tmp/prism-escaped/functional.pt"
