"""A plain two-layer attention model with relative position buckets (T5-like)."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class RelativeBias(nn.Module):
    def __init__(self, heads, buckets=16, max_distance=128):
        super().__init__()
        self.buckets, self.max_distance = buckets, max_distance
        self.table = nn.Embedding(buckets, heads)

    def bucket(self, distance):
        exact = self.buckets // 2
        far = exact + (
            torch.log(distance.clamp(min=1).float() / exact)
            / math.log(self.max_distance / exact)
            * (self.buckets - exact)
        ).long().clamp(max=self.buckets - exact - 1)
        return torch.where(distance < exact, distance, far)

    def forward(self, n):
        i = torch.arange(n, device=self.table.weight.device)
        distance = i[:, None] - i[None, :]
        bias = self.table(self.bucket(distance.clamp(min=0))).permute(2, 0, 1)
        return bias.masked_fill(distance < 0, float("-inf"))


class Layer(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.q, self.k, self.v, self.o = [nn.Linear(d, d, bias=False) for _ in range(4)]
        self.wi, self.wo = nn.Linear(d, 3 * d, bias=False), nn.Linear(3 * d, d, bias=False)
        self.n1, self.n2 = nn.RMSNorm(d), nn.RMSNorm(d)

    def forward(self, x, bias):
        y = self.n1(x)
        q, k, v = (
            w(y).unflatten(-1, (self.h, -1)).transpose(1, 2) for w in (self.q, self.k, self.v)
        )
        x = x + self.o(
            F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).flatten(2)
        )
        return x + self.wo(F.relu(self.wi(self.n2(x))))


class Decoder(nn.Module):
    def __init__(self, vocab, d=64, h=4, n=2):
        super().__init__()
        self.shared, self.bias = nn.Embedding(vocab, d), RelativeBias(h)
        self.layers = nn.ModuleList(Layer(d, h) for _ in range(n))
        self.head = nn.Linear(d, vocab)

    def forward(self, ids):
        x, bias = self.shared(ids), self.bias(ids.shape[1])
        for layer in self.layers:
            x = layer(x, bias)
        return self.head(x)


def build_model(ctx, *, depth=2):
    return Decoder(ctx.vocab_size, n=depth)
