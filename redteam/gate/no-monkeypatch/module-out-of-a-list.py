# role: helper
# rule: prism:no-monkeypatch
# tries: Replaces a function of a library on a module that comes out of a list.
from torch import nn


def change():
    for number, kind in enumerate([nn.Linear]):
        kind.forward = lambda *a: 1
