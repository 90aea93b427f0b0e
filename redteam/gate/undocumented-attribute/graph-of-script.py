# role: helper
# rule: prism:no-dynamic-code | prism:undocumented-attribute
# tries: Compiles code from text by a method under its own name.
import torch
from torch import nn


class Own:
    def define(self, text):
        return text


torch.jit.script(nn.Linear(1, 1)).define("def f(self) -> int:\n    return 1\n")
