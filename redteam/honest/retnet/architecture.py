"""Retention: a decay mask instead of a softmax, in the parallel form.

Retention(X) = (Q Kᵀ ⊙ D) V,   D[n, m] = γ^(n-m) for n ≥ m, else 0
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn


@lru_cache(maxsize=16)
def gammas(heads: int) -> tuple[float, ...]:
    """γ_h = 1 - 2^(-3-h); cached since every layer asks for it."""
    return tuple(1 - 2.0 ** (-3 - h) for h in range(heads))


def decay_mask(length, heads, device):
    n = torch.arange(length, device=device)
    diff = (n[:, None] - n[None, :]).float()
    g = torch.tensor(gammas(heads), device=device)[:, None, None]
    return torch.where(diff >= 0, g ** diff.clamp(min=0), 0.0)


class MultiScaleRetention(nn.Module):
    def __init__(self, dim, heads):
        nn.Module.__init__(self)
        self.heads, self.dk = heads, dim // heads
        self.wq = nn.Linear(dim, dim, bias=False)
        self.wk = nn.Linear(dim, dim, bias=False)
        self.wv = nn.Linear(dim, dim, bias=False)
        self.wg = nn.Linear(dim, dim, bias=False)
        self.wo = nn.Linear(dim, dim, bias=False)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (
            w(x).view(b, t, self.heads, self.dk).transpose(1, 2)
            for w in (self.wq, self.wk, self.wv)
        )
        y = (q @ k.transpose(-1, -2)) * self.dk**-0.5 * decay_mask(t, self.heads, x.device)
        y = F.layer_norm(y @ v, (self.dk,))  # a group norm per head and position
        return self.wo(F.silu(self.wg(x)) * y.transpose(1, 2).reshape(b, t, d))


class RetNet(nn.Module):
    def __init__(self, vocab, dim=64, heads=4, depth=2):
        super(RetNet, self).__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.layers = nn.ModuleList()
        for _ in range(depth):
            layer = nn.ModuleDict(
                {
                    "norm1": nn.LayerNorm(dim),
                    "ret": MultiScaleRetention(dim, heads),
                    "norm2": nn.LayerNorm(dim),
                    "ffn": nn.Sequential(
                        nn.Linear(dim, 2 * dim), nn.SiLU(), nn.Linear(2 * dim, dim)
                    ),
                }
            )
            self.layers.append(layer)
        self.out = nn.Linear(dim, vocab)

    def forward(self, ids):
        h = self.embed(ids)
        for layer in self.layers:
            h = h + layer["ret"](layer["norm1"](h))
            h = h + layer["ffn"](layer["norm2"](h))
        return self.out(h)

    def __repr__(self):
        return f"{type(self).__name__}({sum(p.numel() for p in self.parameters())} parameters)"


def build_model(ctx):
    return RetNet(ctx.vocab_size)
