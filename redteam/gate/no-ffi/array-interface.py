# role: architecture
# rule: prism:no-ffi | prism:no-attribute-escape
# tries: Describes a made-up address by the array protocol, so that numpy reads any memory as an array.
import numpy as np

import torch
from torch import nn

class Window:
    def __init__(self, address, size):
        self.__array_interface__ = {"shape": (size,), "typestr": "|u1", "data": (address, False), "version": 3}


class Model(nn.Module):
    def __init__(self, vocab_size, width=64):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.mixer = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocab_size, bias=False)

    def forward(self, tokens):
        x, _ = self.mixer(self.embedding(tokens))
        return self.head(x)


def build_model(ctx):
    seen = np.asarray(Window(id(ctx), 64))
    return Model(ctx.vocab_size, 64 + 0 * len(seen))
