"""States are replaced by the nearest of 64 codes."""

import torch
from torch import nn

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.mix = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.codes = nn.Parameter(torch.randn(64, WIDTH))
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = self.mix(x)[0]
        nearest = torch.cdist(x, self.codes.expand(len(x), -1, -1)).argmin(-1)
        code = self.codes[nearest]
        x = x + (code - x).detach() + 0.1 * (code - code.detach())
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
