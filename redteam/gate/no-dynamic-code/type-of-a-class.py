# role: helper
# rule: prism:no-dynamic-code
# tries: Makes a class by calling the type of a class.
from torch import nn

Block = type(nn.Linear)("Block", (nn.Module,), {"__len__": lambda self: 1})
