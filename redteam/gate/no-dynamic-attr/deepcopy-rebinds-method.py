# role: architecture
# rule: prism:no-dynamic-attr
# tries: Copy.deepcopy of a bound method binds the raw method to what __deepcopy__ of its object gives.
import copy

import torch.nn.functional as F


class Own:
    def __init__(self, other):
        self.other = other

    def __deepcopy__(self, memo):
        return self.other

    def read(self):
        return vars(self)


def names_of(thing):
    return copy.deepcopy(Own(thing).read)()


def build_model(ctx):
    torch = names_of(F)["torch"]
    return names_of(torch)["os"].getpid()
