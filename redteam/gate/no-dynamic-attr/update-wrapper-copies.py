# role: architecture
# rule: prism:no-dynamic-attr
# tries: Has functools.update_wrapper copy an attribute of torch by its name, a getattr and a setattr in one.
import functools

import torch
from torch import nn


def holder():
    return None


functools.update_wrapper(holder, torch, assigned=("_C",), updated=())

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
    print(holder._C)
    return Model(ctx.vocab_size)
