# role: architecture
# rule: prism:no-dynamic-attr
# tries: An nn.Module that keeps a bound method is deep-copied as models are: AveragedModel.
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel


class Own:
    def __init__(self, other):
        self.other = other

    def __deepcopy__(self, memo):
        return self.other

    def read(self):
        return vars(self)


class Net(nn.Module):
    def __init__(self, thing):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.look = Own(thing).read


def names_of(thing):
    return AveragedModel(Net(thing)).module.look()


def build_model(ctx):
    return names_of(names_of(F)["torch"])["os"].getpid()
