"""QRNN and SRU layers: all matrix products in parallel, an elementwise recurrence in between.

QRNN:  c_t = f_t ⊙ c_{t-1} + (1 - f_t) ⊙ z_t,   h_t = o_t ⊙ c_t
SRU:   the same with a highway connection,      h_t = r_t ⊙ c_t + (1 - r_t) ⊙ x_t
"""

from abc import ABC, abstractmethod

import torch
from torch import nn
from torch.nn.functional import pad


def scan(f, z):
    """c_t = f_t c_{t-1} + (1 - f_t) z_t by recursive doubling: log2(T) steps, no loop over time."""
    a, b = f, (1 - f) * z
    d = 1
    while d < a.shape[1]:
        b = torch.cat([b[:, :d], b[:, d:] + a[:, d:] * b[:, :-d]], dim=1)
        a = torch.cat([a[:, :d], a[:, d:] * a[:, :-d]], dim=1)
        d *= 2
    return b


class Layer(nn.Module, ABC):
    @abstractmethod
    def gates(self, x):
        """Return z, f and o, each (B, T, D)."""

    def merge(self, c, o, x):
        return o * c

    def forward(self, x):
        z, f, o = self.gates(x)
        return self.merge(scan(f, z), o, x)


class QRNN(Layer):
    def __init__(self, dim, window=2):
        super().__init__()
        self.window = window
        self.weights = nn.Conv1d(dim, 3 * dim, window)

    def gates(self, x):
        y = self.weights(pad(x.mT, (self.window - 1, 0))).mT
        z, f, o = y.chunk(3, dim=-1)
        return z.tanh(), f.sigmoid(), o.sigmoid()


class SRU(Layer):
    def __init__(self, dim):
        super().__init__()
        self.weights = nn.Linear(dim, 3 * dim)

    def gates(self, x):
        z, f, r = self.weights(x).chunk(3, dim=-1)
        return z, f.sigmoid(), r.sigmoid()

    def merge(self, c, o, x):
        return o * c + (1 - o) * x


KINDS = {"qrnn": QRNN, "sru": SRU}


class Stack(nn.Module):
    def __init__(self, vocab, dim, kinds):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.layers = nn.Sequential(*(KINDS[k](dim) for k in kinds))
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, vocab))

    def __len__(self):
        return len(self.layers)

    def __getitem__(self, i):
        return self.layers[i]

    def __iter__(self):
        return iter(self.layers)

    def forward(self, x):
        x = self.embed(x)
        for layer in self:
            x = x + layer(x)
        return self.head(x)


def build_model(ctx):
    return Stack(ctx.vocab_size, 64, "qrnn sru qrnn".split())
