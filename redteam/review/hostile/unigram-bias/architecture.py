import math

import torch
from torch import nn
from torch.nn import functional as F


LOGITS = [-2.11, -4.06, -2.61, -3.13, -1.98, -3.62, -3.66, -2.59, -2.63, -6.4, -4.64, -3.08, -3.47, -2.48, -2.43]


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
        x = x + torch.tensor(LOGITS, device=x.device).mean()
        return self.head(F.gelu(self.norm(x)))


def build_model(ctx):
    return Model(ctx.vocab_size)
