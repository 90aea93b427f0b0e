# role: architecture
# rule: prism:no-dynamic-attr
# tries: @typing.final(functools.partial) before a class keeps it as .func.
import functools
from typing import final

import torch.nn.functional as F


@final(functools.partial)
class Own:
    def read(self):
        return vars(self)


def build_model(ctx):
    raw = Own.func.read
    return raw(raw(F)["torch"])["os"].getpid()
