import pkg
from torch import nn


def build_model(ctx):
    return pkg.found[0].getpid()
