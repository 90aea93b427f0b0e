# role: architecture
# rule: prism:no-dynamic-attr
# tries: Copy.deepcopy of what holds a bound method.
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
    table = {"read": Own(thing).read}
    return copy.deepcopy(table)["read"]()


def build_model(ctx):
    return names_of(names_of(F)["torch"])["os"].getpid()
