"""One row's forward, mapped over the batch by `vmap`."""

import torch
from torch import nn
from torch.func import jvp, vmap

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.mix = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        weight = self.mix.weight

        def of_row(row):
            value, slope = jvp(lambda x: torch.tanh(x @ weight), (row,), (torch.ones_like(row),))
            return value.cumsum(0) / 8 + slope

        x = x + vmap(of_row)(x)
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
