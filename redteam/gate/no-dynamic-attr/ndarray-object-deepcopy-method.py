# role: architecture
# rule: prism:no-dynamic-attr
# tries: Np.array([own.read]).__deepcopy__ / copy.deepcopy of an array of objects.
import copy

import numpy as np
import torch.nn.functional as F


class Own:
    def __init__(self, other):
        self.other = other

    def __deepcopy__(self, memo):
        return self.other

    def read(self):
        return vars(self)


def names_of(thing):
    box = np.array([Own(thing).read], dtype=object)
    return copy.deepcopy(box)[0]()


def build_model(ctx):
    return names_of(names_of(F)["torch"])["os"].getpid()
