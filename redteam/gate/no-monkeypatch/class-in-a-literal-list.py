# role: helper
# rule: prism:no-monkeypatch
# tries: Assigns to an element of a list that is written in place.
from torch import nn

[nn.Linear][0].forward = lambda self, x: x
