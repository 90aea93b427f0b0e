"""Counts of earlier tokens by numpy, beside the embedding."""

import numpy as np
import torch
from torch import nn

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.counted = nn.Linear(1, WIDTH)
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        rows = tokens.cpu().numpy()
        counts = np.stack([(rows[:, : at + 1] == rows[:, at : at + 1]).sum(1) for at in range(rows.shape[1])], axis=1)
        x = x + self.counted(torch.from_numpy(np.log1p(counts.astype(np.float32)))[..., None])
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
