# role: helper
# rule: prism:no-monkeypatch
# tries: Assigns to a class of torch that it takes out of a list.
from torch import nn

KINDS = [nn.Linear, nn.Embedding]
KINDS[0].forward = lambda self, x: x
