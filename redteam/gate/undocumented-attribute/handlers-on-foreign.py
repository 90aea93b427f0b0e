# role: architecture
# rule: prism:undocumented-attribute
# tries: Copy.deepcopy(x, memo) within __deepcopy__ hands the memo on to a bound method.
import copy

import torch.nn.functional as F


class Own:
    def __init__(self, other):
        self.other = other

    def __deepcopy__(self, memo):
        return self.other

    def handlers_of(self):
        return self.handlers

    handlers = None


class Names:
    handlers = None


def build_model(ctx):
    import logging

    found = copy.deepcopy(Own(logging.getLogger()).handlers_of)()
    return found
