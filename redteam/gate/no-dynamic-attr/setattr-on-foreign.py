# role: architecture
# rule: prism:no-dynamic-attr
# tries: Setattr(self, computed, value) of a foreign object by a rebound method: patches a module.
import copy

import torch.nn.functional as F


class Own:
    def __init__(self, other):
        self.other = other

    def __deepcopy__(self, memo):
        return self.other

    def put(self, name, value):
        setattr(self, name, value)


def own(*given, **more):
    return "replaced"


def build_model(ctx):
    copy.deepcopy(Own(F).put)("re" + "lu", own)
    return F.relu(1)
