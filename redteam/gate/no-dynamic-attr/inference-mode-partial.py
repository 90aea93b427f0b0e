# role: architecture
# rule: prism:no-dynamic-attr
# tries: @torch.compiler.disable(...) keeps nothing; @torch.autocast.
import functools

import torch
import torch.nn.functional as F


class Own:
    @torch.inference_mode(functools.partial)
    def read(self):
        return vars(self)


def build_model(ctx):
    raw = Own().read.func
    return raw(raw(F)["torch"])["os"].getpid()
