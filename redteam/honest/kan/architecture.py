"""KAN-like feed-forward layers: every edge is a learned sum of Gaussian bumps plus a SiLU.

φ_ij(x) = w_ij silu(x) + Σ_g c_ijg exp(-((x - μ_g) / h)²),     y_j = Σ_i φ_ij(x_i)
"""

from typing import Generic, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

M = TypeVar("M", bound=nn.Module)


class Residual(nn.Module, Generic[M]):
    def __init__(self, inner: M, dim: int) -> None:
        super().__init__()
        self.inner: M = inner
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.inner(self.norm(x))


class RBF(nn.Module):
    def __init__(self, low=-2.0, high=2.0, grids=5):
        super().__init__()
        grid = np.linspace(low, high, grids, dtype=np.float32)
        self.grid = nn.Parameter(torch.from_numpy(grid), requires_grad=False)
        self.width = float(np.diff(grid).mean())

    def forward(self, x):
        return torch.exp(-(((x[..., None] - self.grid) / self.width) ** 2))


class KANLinear(nn.Module):
    def __init__(self, d_in, d_out, grids=5):
        super().__init__()
        self.rbf = RBF(grids=grids)
        self.base = nn.Linear(d_in, d_out)
        self.spline = nn.Parameter(torch.randn(d_out, d_in * grids) * 0.1 / np.sqrt(d_in))

    def forward(self, x):
        return self.base(F.silu(x)) + F.linear(self.rbf(x).flatten(-2), self.spline)


class Attention(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h, self.qkv, self.o = h, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(-1, (3, self.h, -1)).permute(2, 0, 3, 1, 4)
        return self.o(
            F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        )


class KANFormer(nn.Module):
    def __init__(self, vocab: int, d: int = 48, depth: int = 2) -> None:
        super().__init__()
        self.emb, self.pos = nn.Embedding(vocab, d), nn.Embedding(512, d)
        layers: list[nn.Module] = []
        for _ in range(depth):
            layers += [Residual[Attention](Attention(d, 4), d), Residual(KANLinear(d, d), d)]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(d, vocab)

    def forward(self, ids):
        return self.head(self.layers(self.emb(ids) + self.pos.weight[: ids.shape[1]]))


def build_model(ctx):
    return KANFormer(ctx.vocab_size)
