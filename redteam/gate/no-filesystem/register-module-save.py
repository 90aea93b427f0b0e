# role: training
# rule: prism:no-filesystem
# tries: register_module puts a scripted module under a name that is only stored in dead code.
import torch
from torch import nn


class Keeper(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.register_module("inner", inner)

    def dead(self):
        self.inner = Own()

    def go(self):
        self.inner.save("/tmp/atk/escape/script.pt")
        print("PWNED saved anywhere")


class Own:
    def save(self, path):
        pass


def train(ctx):
    Keeper(torch.jit.script(nn.Linear(2, 2))).go()
