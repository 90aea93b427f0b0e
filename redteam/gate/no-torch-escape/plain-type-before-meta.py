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


from torch import nn


class Net(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.emb = nn.Embedding(vocab, 64)
        self.out = nn.Linear(64, vocab)

    def forward(self, tokens):
        return self.out(self.emb(tokens))


def build_model(ctx):
    run()
    return Net(ctx.vocab_size)


