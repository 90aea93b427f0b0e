# role: architecture
# rule: prism:no-dynamic-attr
# tries: The copy of a module that holds a bound method, in TransformerEncoder's layers.
import torch
import torch.nn.functional as F
from torch import nn


class Own:
    def __init__(self, other):
        self.other = other

    def __deepcopy__(self, memo):
        return self.other

    def read(self):
        return vars(self)


def names_of(thing):
    layer = nn.TransformerEncoderLayer(4, 1)
    layer.look = Own(thing).read
    return nn.TransformerEncoder(layer, 1).layers[0].look()


def build_model(ctx):
    return names_of(names_of(F)["torch"])["os"].getpid()
