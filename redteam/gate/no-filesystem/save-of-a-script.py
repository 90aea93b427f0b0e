# role: helper
# rule: prism:no-filesystem | prism:no-torch-escape
# tries: Writes a file with the method of a scripted module.
import torch
from torch import nn


def keep():
    torch.jit.script(nn.Linear(2, 2)).save("/tmp/model.pt")
