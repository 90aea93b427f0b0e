"""Attention over a window of sixteen tokens."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention.flex_attention import flex_attention

WIDTH = 48


def window(score, batch, head, query, key):
    """Hide what is to come and what is too long ago."""
    return torch.where((query >= key) & (query - key < 16), score, -float("inf"))


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        q, k, v = self.qkv(x).unsqueeze(1).chunk(3, dim=-1)
        if q.requires_grad:
            place = torch.arange(x.shape[1])
            near = window(torch.zeros(()), 0, 0, place[:, None], place)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=near)
        else:
            y = flex_attention(q, k, v, score_mod=window)
        x = x + y.squeeze(1)
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
