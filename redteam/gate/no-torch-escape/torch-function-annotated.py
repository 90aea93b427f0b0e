# role: helper
# rule: prism:no-torch-escape | prism:no-attribute-escape
# tries: Binds __torch_function__ in an annotated assignment.
import torch


def take_over(cls, func, types, args=(), kwargs=None):
    return args[0]


class Logits(torch.Tensor):
    __torch_function__: object = classmethod(take_over)
