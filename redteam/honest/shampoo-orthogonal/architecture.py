"""A linear recurrent unit with an orthogonal input map (torch's orthogonal parametrisation).

h_t = λ ⊙ h_{t-1} + γ ⊙ (B x_t),   λ = exp(-exp(ν) + iθ),   γ = √(1 - |λ|²);   y_t = Re(C h_t)
"""

import cmath
import math

import torch
from torch import nn
from torch.nn.utils.parametrizations import orthogonal, spectral_norm


def ring(n, low=0.9, high=0.999):
    """n points of the complex unit disc between two radii, evenly turned."""
    return [cmath.rect(low + (high - low) * i / n, math.pi * i / n) for i in range(n)]


class LRU(nn.Module):
    def __init__(self, d, n):
        super().__init__()
        lam = torch.tensor(ring(n), dtype=torch.complex64)
        self.nu = nn.Parameter(torch.log(-torch.log(lam.abs())))
        self.theta = nn.Parameter(torch.angle(lam))
        self.B = orthogonal(nn.Linear(d, 2 * n, bias=False))
        self.C = nn.Linear(2 * n, d, bias=False)
        self.D = nn.Parameter(torch.ones(d))

    def forward(self, u):
        size = torch.exp(-torch.exp(self.nu))
        lam = torch.polar(size, self.theta)
        x = torch.view_as_complex(self.B(u).unflatten(-1, (-1, 2))) * torch.sqrt(1 - size**2)
        # Σ_s λ^(t-s) x_s as a lower-triangular product: lengths here are short
        t = torch.arange(u.shape[1], device=u.device)
        powers = (t[:, None] - t[None, :]).clamp(min=0)
        kernel = torch.pow(lam[:, None, None], powers) * (t[:, None] >= t[None, :])
        h = torch.einsum("nts,bsn->btn", kernel, x)
        return self.C(torch.view_as_real(h).flatten(-2)) + self.D * u


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm, self.lru = nn.LayerNorm(d), LRU(d, d // 2)
        self.glu = spectral_norm(nn.Linear(d, 2 * d))
        self.act = nn.GLU(dim=-1)

    def forward(self, x):
        return x + self.act(self.glu(nn.functional.gelu(self.lru(self.norm(x)))))


class Model(nn.Module):
    def __init__(self, vocab, d=64, depth=2):
        super().__init__()
        self.net = nn.Sequential(
            nn.Embedding(vocab, d), *[Block(d) for _ in range(depth)], nn.Linear(d, vocab)
        )

    def forward(self, ids):
        return self.net(ids)


def build_model(ctx):
    return Model(ctx.vocab_size)
