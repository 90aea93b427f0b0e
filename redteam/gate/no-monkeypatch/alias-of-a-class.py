# role: helper
# rule: prism:no-monkeypatch
# tries: Sets a method on an alias that `typing` makes of a class of torch.
from typing import Annotated

import torch


def mine(self, closure=None):
    return None


Annotated[torch.optim.SGD, 0].step = mine
