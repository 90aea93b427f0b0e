# role: architecture
# rule: prism:no-torch-escape
# tries: `type_before_parametrizations` of a class gives `type`, which makes a class.

import numpy as np
import torch
from torch.nn.utils import parametrize


class Config:
    pass


def run():
    make = parametrize.type_before_parametrizations(Config)
    text = b"secret bytes of the process"
    view = {"data": (id(text) + 32, True), "shape": (12,), "typestr": "|u1", "version": 3}
    kind = make("Kind", (), {"__array_" + "interface__": view})
    return bytes(np.asarray(kind()).tolist())


def build_model(ctx):
    return run()
