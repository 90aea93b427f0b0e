# role: architecture
# rule: prism:no-monkeypatch
# tries: LRScheduler binds the raw function behind optimizer.step to the optimizer.
import warnings

import torch


class Own:
    def read(self, *given):
        return vars(self)


class Opt(torch.optim.SGD, warnings.catch_warnings):
    def __init__(self, params):
        warnings.catch_warnings.__init__(self)
        super().__init__(params, lr=0.1)


def build_model(ctx):
    opt = Opt([torch.nn.Parameter(torch.zeros(1))])
    opt.step = Own().read
    torch.optim.lr_scheduler.StepLR(opt, 1)
    return opt.step()["_module"].formatwarning("m", UserWarning, "/etc/passwd", 1)
