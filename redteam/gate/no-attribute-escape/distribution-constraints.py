# role: architecture
# rule: prism:no-attribute-escape
# tries: A Distribution reads its attributes by the names of arg_constraints and hands them to own constraints.
import warnings

import torch
from torch.distributions import Distribution

found = []


class Keep:
    event_dim = 0

    def check(self, value):
        found.append(value)
        return torch.ones(1, dtype=torch.bool)


class Own(Distribution, warnings.catch_warnings):
    arg_constraints = {"_module": Keep()}
    _module = None

    def __init__(self):
        warnings.catch_warnings.__init__(self)
        Distribution.__init__(self, validate_args=True)


def build_model(ctx):
    Own()
    return found[0].formatwarning("m", UserWarning, "/etc/passwd", 1)
