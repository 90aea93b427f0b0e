"""A small pre-norm transformer in an older style: two-argument super, a norm class as a keyword, all of math."""

from math import *

import torch
from torch import nn


class Block(nn.Module):
    """Attention and a perceptron; `norm_layer` is a class."""

    def __init__(self, width, heads, norm_layer=nn.LayerNorm):
        super(Block, self).__init__()
        self.norm_layer = norm_layer
        self.before = self.norm_layer(width)
        self.after = self.norm_layer(width)
        self.heads = heads
        self.mix = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.grow = nn.Linear(width, 4 * width)
        self.shrink = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, time, width = x.shape
        parts = self.mix(self.before(x)).view(batch, time, 3, self.heads, width // self.heads)
        query, key, value = (part.transpose(1, 2) for part in parts.unbind(2))
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, time, width))
        return x + self.shrink(torch.relu(self.grow(self.after(x))))


class Model(nn.Module):
    """The whole of it, with sinusoids for positions."""

    def __init__(self, vocab_size, width=64, depth=2, norm_layer=nn.LayerNorm):
        super(Model, self).__init__()
        self.width = width
        self.embed = nn.Embedding(vocab_size, width)
        self.blocks = nn.ModuleList([Block(width, 4, norm_layer=norm_layer) for _ in range(depth)])
        self.head = nn.Linear(width, vocab_size)
        for module in list(self.blocks):
            nn.init.normal_(module.out.weight, std=sqrt(0.02 / max(1, len(self.blocks))))

    def positions(self, time, device):
        steps = torch.arange(time, device=device)[:, None]
        rates = torch.exp(torch.arange(0, self.width, 2, device=device) * (-log(1e4) / self.width))
        return torch.cat([torch.sin(steps * rates), torch.cos(steps * rates)], dim=-1)

    def forward(self, tokens):
        x = self.embed(tokens) + self.positions(tokens.shape[1], tokens.device)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
