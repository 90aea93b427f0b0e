# role: architecture
# rule: prism:no-dynamic-attr
# tries: @functools.lru_cache(functools.partial) keeps the raw method as .func.
import functools

import torch.nn.functional as F


class Own:
    @functools.lru_cache(functools.partial)
    def read(self):
        return vars(self)


def build_model(ctx):
    raw = Own().read.func
    return raw(raw(F)["torch"])["os"].getpid()
