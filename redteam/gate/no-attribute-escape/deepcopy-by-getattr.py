# role: architecture
# rule: prism:no-attribute-escape
# tries: Deepcopy rebinds a method: __getattr__ answers for __deepcopy__.
import copy

import torch.nn.functional as F


class Own:
    def __init__(self, other):
        self.other = other

    def give(self, memo):
        return self.other

    def __getattr__(self, name):
        if len(name) == 12:
            return self.give
        raise AttributeError(name)

    def read(self):
        return vars(self)


def names_of(thing):
    return copy.deepcopy(Own(thing).read)()


def build_model(ctx):
    return names_of(names_of(F)["torch"])["os"].getpid()
