# role: helper
# rule: prism:no-dynamic-attr
# tries: Calls an initialiser that sets any attribute of self on a class of torch.
from torch import nn


class Config:
    def __init__(self, **options):
        for name, value in options.items():
            setattr(self, name, value)


Config.__init__(nn.Linear, forward=print)
