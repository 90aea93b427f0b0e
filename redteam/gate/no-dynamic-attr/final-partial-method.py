# role: architecture
# rule: prism:no-dynamic-attr
# tries: @typing.final(functools.partial) before a method keeps it as .func.
import functools
from typing import final

import torch.nn.functional as F


class Own:
    @final(functools.partial)
    def read(self):
        return vars(self)


def build_model(ctx):
    raw = Own().read.func
    return raw(raw(F)["torch"])["os"].getpid()
