"""nGPT-like: everything on the unit sphere, residual steps with learned "eigen" learning rates.

    h ← norm(h + α (norm(block(h)) - h))
All matrices are parametrised to have unit rows; no weight decay and no warmup are needed.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import parametrize


class UnitNorm(nn.Module):
    """A parametrisation: rows (or columns) of unit length."""

    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, W):
        return F.normalize(W, dim=self.dim)

    def right_inverse(self, W):
        return F.normalize(W, dim=self.dim)


def NormLinear(d_in, d_out, dim=-1):
    layer = nn.Linear(d_in, d_out, bias=False)
    parametrize.register_parametrization(layer, "weight", UnitNorm(dim))
    return layer


class Scale(nn.Module):
    """A learned scale stored as s · (init / scale), so that its effective learning rate can be set."""

    def __init__(self, dim, init=1.0, scale=1.0):
        super().__init__()
        self.s = nn.Parameter(torch.ones(dim) * scale)
        self.forward_scale = init / scale

    def forward(self):
        return self.s * self.forward_scale


class Attention(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.q, self.k, self.v = (NormLinear(d, d) for _ in range(3))
        self.qk_scale = Scale(d // h, 1.0, d**-0.5)
        self.o = NormLinear(d, d, dim=0)

    def forward(self, x):
        q, k, v = (
            f(x).unflatten(-1, (self.h, -1)).transpose(1, 2) for f in (self.q, self.k, self.v)
        )
        q, k = (F.normalize(t, dim=-1) * self.qk_scale() for t in (q, k))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=q.shape[-1] ** 0.5)
        return self.o(y.transpose(1, 2).flatten(2))


class FF(nn.Module):
    def __init__(self, d, mult=2):
        super().__init__()
        self.d = d
        self.u, self.g = NormLinear(d, mult * d), NormLinear(d, mult * d)
        self.su, self.sg = Scale(mult * d), Scale(mult * d)
        self.o = NormLinear(mult * d, d, dim=0)

    def forward(self, x):
        return self.o(self.u(x) * self.su() * F.silu(self.g(x) * self.sg() * self.d**0.5))


class SphereStep(nn.Module):
    def __init__(self, d, block, depth):
        super().__init__()
        self.block, self.alpha = block, Scale(d, 1.0 / depth, d**-0.5)

    def forward(self, x):
        y = F.normalize(self.block(x), dim=-1)
        return F.normalize(x + self.alpha().abs() * (y - x), dim=-1)


class NGPT(nn.Module):
    def __init__(self, vocab, d=64, depth=2, h=4):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        parametrize.register_parametrization(self.emb, "weight", UnitNorm(-1))
        self.pos = nn.Parameter(torch.randn(512, d) * 0.02)
        self.layers = nn.Sequential()
        for i in range(depth):
            self.layers.add_module(f"attn{i}", SphereStep(d, Attention(d, h), 2 * depth))
            self.layers.add_module(f"ff{i}", SphereStep(d, FF(d), 2 * depth))
        self.head = NormLinear(d, vocab)
        self.logit_scale = Scale(vocab, 1.0, d**-0.5)

    def forward(self, ids):
        x = F.normalize(self.emb(ids) + self.pos[: ids.shape[1]], dim=-1)
        return self.head(self.layers(x)) * self.logit_scale()


def build_model(ctx):
    return NGPT(ctx.vocab_size)
