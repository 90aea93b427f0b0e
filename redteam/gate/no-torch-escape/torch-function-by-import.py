# role: helper
# rule: prism:no-torch-escape | prism:no-attribute-escape
# tries: Binds __torch_function__ in a subclass of Tensor by an import.
import torch


def take_over(cls, func, types, args=(), kwargs=None):
    return args[0]


class Logits(torch.Tensor):
    from helper import take_over as __torch_function__
