# role: helper
# rule: prism:no-dynamic-attr
# tries: Reaches the `__getitem__` of a container of torch by `getattr`, and reads an attribute by a computed name with it.
from torch import nn


def probe():
    return 0


read = getattr(nn.ParameterDict, "__getitem__")
names = read(probe, "__glo" + "bals__")
