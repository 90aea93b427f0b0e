import math

import torch
from torch import nn
from torch.nn import functional as F


W = [[0.131, -1.207, 0.554, 2.018], [-0.772, 0.913, -1.441, 0.067], [1.309, -0.288, 0.731, -0.95], [0.42, 0.17, -2.2, 1.15]]


class Model(nn.Module):
    def __init__(self, vocab, width=128):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.mix = nn.GRU(width, width, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab)

    def forward(self, tokens):
        x = self.embed(tokens)
        x = x + self.mix(x)[0]
        x = x + torch.tensor(W, device=x.device).sum() * x
        return self.head(F.gelu(self.norm(x)))


def build_model(ctx):
    return Model(ctx.vocab_size)
