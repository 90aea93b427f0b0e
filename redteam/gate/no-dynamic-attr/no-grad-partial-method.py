# role: architecture
# rule: prism:no-dynamic-attr
# tries: @torch.no_grad(...) with a function of a library.
import functools

import torch
import torch.nn.functional as F


class Own:
    @torch.no_grad(functools.partial)
    def read(self):
        return vars(self)


def build_model(ctx):
    raw = Own().read.func
    return raw(raw(F)["torch"])["os"].getpid()
