# role: helper
# rule: prism:no-filesystem | prism:undocumented-attribute
# tries: Saves a script module that came out of a list, after defining a save of its own.
import torch
from torch import nn


class Own:
    def save(self, path):
        return path


made = [torch.jit.script(nn.Linear(1, 1))]
made[0].save("/tmp/x.pt")
