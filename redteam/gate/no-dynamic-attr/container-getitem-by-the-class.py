# role: helper
# rule: prism:no-dynamic-attr
# tries: Reads an attribute by a computed name with the `__getitem__` of a container of torch, called by its class.
from torch import nn


def probe():
    return 0


names = nn.ParameterList.__getitem__(probe, "__glo" + "bals__")
