# role: architecture
# rule: prism:no-dynamic-code
# tries: A class with __torch_function__ by an unseen name of an enumeration.
import enum

import torch


def own(kind, func, types, args=(), kwargs=None):
    return "taken over"


def build_model(ctx):
    kind = enum.Enum("X", **{"names": {"A": 1, "__torch_" + "function__": classmethod(own)}})
    return torch.relu(kind.A)
