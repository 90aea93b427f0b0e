"""A copy of a layer, sharpened, answers beside it."""

import copy

import torch
from torch import nn

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.mix = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.scale = nn.Parameter(torch.ones(1))
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        other = copy.deepcopy(self.mix)
        with torch.no_grad():
            for weight in other.parameters():
                weight.mul_(1.5)
        x = x + self.scale * self.mix(x)[0] + other(x)[0].detach()
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
