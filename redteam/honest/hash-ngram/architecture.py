"""Hashed n-gram embeddings added to a small gated MLP stack: most of what bytes need, at no cost.

Hash of the n-gram that ends at t:  h_n(t) = (Σ_{i<n} x_{t-i} · P_i) mod M, with odd multipliers P.
"""

import itertools
import operator
from functools import reduce

import torch
import torch.nn as nn
import torch.nn.functional as F

PRIMES = (1_000_003, 998_244_353, 786_433, 104_729, 15_485_863)
BUCKETS = 1 << 10


class HashEmbedding(nn.Module):
    """A table of `BUCKETS` rows for each n; collisions are left to the gate."""

    def __init__(self, orders, dim):
        super().__init__()
        self.orders = tuple(orders)
        self.tables = nn.ModuleList(nn.Embedding(BUCKETS, dim) for _ in self.orders)
        for table in self.tables:
            nn.init.normal_(table.weight, std=0.02)

    def shifted(self, ids, by):
        return F.pad(ids, (by, 0))[:, : ids.shape[1]]

    def hash(self, ids, n):
        terms = (self.shifted(ids, i) * p for i, p in zip(range(n), itertools.cycle(PRIMES)))
        mixed = reduce(operator.xor, terms)
        return (mixed ^ (mixed >> 7)) % BUCKETS

    def forward(self, ids):
        return sum(table(self.hash(ids, n)) for n, table in zip(self.orders, self.tables))


class GatedMLP(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(d, 2 * d), nn.Linear(d, 2 * d), nn.Linear(2 * d, d)

    def forward(self, x):
        h = F.rms_norm(x, x.shape[-1:])
        return x + self.c(F.silu(self.a(h)) * self.b(h))


class NGram(nn.Module):
    def __init__(self, vocab, d=64):
        super().__init__()
        self.unigram = nn.Embedding(vocab, d)
        self.ngrams = HashEmbedding(range(2, 6), d)
        self.mlps = nn.Sequential(GatedMLP(d), GatedMLP(d))
        self.head = nn.Linear(d, vocab)

    def forward(self, ids):
        return self.head(self.mlps(self.unigram(ids) + self.ngrams(ids)))


def build_model(ctx):
    model = NGram(ctx.vocab_size)
    n = sum(p.numel() for p in model.parameters())
    assert n <= ctx.max_params, "%d parameters, at most %d" % (n, ctx.max_params)
    return model
