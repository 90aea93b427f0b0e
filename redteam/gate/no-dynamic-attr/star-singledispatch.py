# role: architecture
# rule: prism:no-dynamic-attr
# tries: From functools import *: singledispatch by its bare name is not seen to hand classes out.
from functools import *

import torch.nn.functional as F

NAMES = {"registry": 1}


class Own:
    def read(self):
        return vars(self)


@singledispatch
def show(x):
    return x


@show.register
def _(x: Own):
    return x


def build_model(ctx):
    kinds = [kind for kind in show.registry]
    read = kinds[-1].read
    return read(read(F)["torch"])["os"].getpid()
