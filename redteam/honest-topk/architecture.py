"""Attention to the four best places, and sorted features."""

import torch
from torch import nn

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.order = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        scores = (q @ k.mT).masked_fill(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1), -1e9)
        best, places = scores.topk(min(4, x.shape[1]), dim=-1)
        rows = torch.arange(len(x))[:, None, None]
        x = x + (best.softmax(-1)[..., None] * v[rows, places]).sum(2) + self.order(x.sort(-1).values)
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
