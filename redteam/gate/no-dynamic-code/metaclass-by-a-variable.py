# role: helper
# rule: prism:no-dynamic-code
# tries: Derives from a variable that holds a metaclass.
from torch import nn

Kind = type(nn.Linear)


class Meta(Kind):
    pass
