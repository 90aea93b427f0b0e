# role: helper
# rule: prism:no-dynamic-attr
# tries: Imports torch in a class body and reaches it through self.
from torch import nn


class Block(nn.Module):
    import torch as library

    def forward(self, x):
        self.library.hub.load("owner/repository", "model")
        return x
