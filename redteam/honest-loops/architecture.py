"""Each row is worked on until its states are quiet."""

import torch
from torch import nn

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.again = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        left = 5
        moving = torch.ones_like(x[..., :1])
        while left > 0 and bool(moving.any()):
            change = torch.tanh(self.again(x)) * moving
            x = x + change
            moving = moving * (change.norm(dim=-1, keepdim=True) > 0.5)
            left -= 1
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
