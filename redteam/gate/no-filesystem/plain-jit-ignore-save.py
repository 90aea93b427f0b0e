# role: architecture
# rule: prism:no-filesystem
# tries: `torch.jit` calls an ignored method with its own module, whose `save` writes any file.

import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x)

    def save(self, path: str):
        pass

    @torch.jit.ignore
    def keep(self, path: str):
        self.save(path)


def run():
    scripted = torch.jit.script(Small())
    scripted.keep("/etc/hostname")
    return True


def build_model(ctx):
    return run()
