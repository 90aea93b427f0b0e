# role: helper
# rule: prism:no-filesystem | prism:undocumented-attribute
# tries: Hands a script module to a function that saves what it is given.
import torch
from torch import nn


class Own:
    def save(self, path):
        return path


def keep(thing):
    thing.save("/tmp/x.pt")


keep(torch.jit.script(nn.Linear(1, 1)))
