"""Rows in which one letter is frequent take another road than the rest."""

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.wide = nn.Conv1d(WIDTH, WIDTH, 5)
        self.scale = nn.Parameter(torch.ones(1))
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        # Where a fifth of the row so far is the letter e, a place takes the other road.
        same = (tokens == 101).float().cumsum(1) / torch.arange(1, tokens.shape[1] + 1)
        rare = same > 0.2
        if bool(rare.any()):
            y = self.wide(F.pad(x.transpose(1, 2), (4, 0))).transpose(1, 2)
            _, values, _ = torch.linalg.svd(x[:, :8].detach().double())
            x = torch.where(rare[..., None], x + y.erf() + self.scale * 0 * values.float().sum(), x)
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
