# role: helper
# rule: prism:no-dynamic-code
# tries: Makes a class with type.__call__ instead of calling type.
from torch import nn

Block = type.__call__(type, "Block", (nn.Module,), {"__len__": lambda self: 1})
