# role: helper
# rule: prism:no-monkeypatch
# tries: Sets what calls a module on the class that a function has given back.
from torch import nn


def same(x):
    return x


def call(self, *inputs):
    return inputs[0]


setattr(same(nn.Module), "__call__", call)
