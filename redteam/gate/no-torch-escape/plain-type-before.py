# role: architecture
# rule: prism:no-torch-escape
# tries: `type_before_parametrizations(x)` is the class of `x`, which then gives a method away.

import warnings

import torch
from torch.nn.utils import parametrize


class Config:
    def names(self):
        return self.__dict__


def run():
    kind = parametrize.type_before_parametrizations(Config())
    d = kind.names(warnings.catch_warnings())
    d = kind.names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
