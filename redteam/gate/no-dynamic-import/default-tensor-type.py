# role: helper
# rule: prism:no-dynamic-import
# tries: Has torch import a module by the dotted name of a tensor type.
import torch


def choose(name):
    torch.set_default_tensor_type(name)
