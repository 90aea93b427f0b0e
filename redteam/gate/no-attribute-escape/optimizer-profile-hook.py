# role: architecture
# rule: prism:no-attribute-escape
# tries: Optimizer hands its raw step to profile_hook_step of the class below.
import warnings

import torch

raws = []


class Own(torch.optim.Optimizer):
    def profile_hook_step(self, func):
        raws.append(func)
        return func

    def step(self, closure=None):
        return vars(self)


def build_model(ctx):
    Own([torch.nn.Parameter(torch.zeros(1))], {})
    read = raws[0]
    d = read(warnings.catch_warnings())
    d = read(d["_module"])
    return d["sys"].modules["os"].getpid()
