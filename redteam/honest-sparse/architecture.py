"""Each place adds the three before it, by a sparse matrix."""

import torch
from torch import nn

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.mix = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        length = x.shape[1]
        later = torch.arange(length).repeat(3)
        earlier = later - torch.arange(1, 4).repeat_interleave(length)
        kept = earlier >= 0
        places = torch.stack([later[kept], earlier[kept]])
        near = torch.sparse_coo_tensor(places, torch.full((places.shape[1],), 1 / 3), (length, length))
        x = x + self.mix(torch.stack([torch.sparse.mm(near, row) for row in x]))
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
