# role: architecture
# rule: prism:no-monkeypatch
# tries: A lambda of the module whose name is set.
import copy
from types import MethodType

import torch

f = lambda x: x
f.__name__ = "os"


def build_model(ctx):
    import torch.nn.functional as F

    g = lambda x: x
    g.__name__ = "torch"
    return copy.copy(MethodType(f, copy.copy(MethodType(g, F)))).getpid()
