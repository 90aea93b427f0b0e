# role: helper
# rule: prism:no-dynamic-attr
# tries: Answers for any name of the module with an attribute of torch.
import torch


def __getattr__(name):
    return getattr(torch, name)
