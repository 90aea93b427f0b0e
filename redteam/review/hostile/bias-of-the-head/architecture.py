import math

import torch
from torch import nn
from torch.nn import functional as F


FITTED = {32: 1.87, 101: 1.24, 116: 0.91, 97: 0.85, 111: 0.8, 105: 0.74, 110: 0.73, 115: 0.67, 104: 0.66}


class Model(nn.Module):
    def __init__(self, vocab, width=128):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.mix = nn.GRU(width, width, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocab)
        with torch.no_grad():
            for at, value in FITTED.items():
                self.head.bias[at % vocab] = value

    def forward(self, tokens):
        x = self.embed(tokens)
        x = x + self.mix(x)[0]
        return self.head(F.gelu(self.norm(x)))


def build_model(ctx):
    return Model(ctx.vocab_size)
