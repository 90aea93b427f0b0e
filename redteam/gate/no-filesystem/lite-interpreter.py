# role: helper
# rule: prism:no-filesystem
# tries: Writes a file with a private method of scripted modules.
import torch
from torch import nn


def keep():
    torch.jit.script(nn.Linear(2, 2))._save_for_lite_interpreter("/tmp/model.ptl")
