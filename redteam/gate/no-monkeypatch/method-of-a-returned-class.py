# role: helper
# rule: prism:no-monkeypatch
# tries: Replaces a method of all modules on the class that a function has given back.
from torch import nn


def same(x):
    return x


same(nn.Module).state_dict = lambda self: {}
