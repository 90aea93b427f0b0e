# role: helper
# rule: prism:no-dynamic-code | prism:no-torch-escape
# tries: Defines a TorchScript method from a string.
import torch
from torch import nn

SOURCE = "def run(self, x: Tensor) -> Tensor:\n    return x\n"
MODULE = torch.jit.script(nn.Linear(2, 2))
MODULE.define(SOURCE)
