"""The delta rule, S_t = S_{t-1}(I - β_t k_t k_tᵀ) + β_t v_t k_tᵀ, solved for the whole row at once.

With u_t = β_t (v_t - S_{t-1} k_t) the state is Σ u_s k_sᵀ, and u is the solution of a unit
lower-triangular system:  (I + tril(diag(β) K Kᵀ, -1)) U = diag(β) V.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .conv import ShortConv


def delta_rule(q, k, v, beta):
    eye = torch.eye(q.shape[-2], device=q.device, dtype=q.dtype)
    system = (beta * (k @ k.mT)).tril(-1) + eye
    u = torch.linalg.solve_triangular(system, beta * v, upper=False, unitriangular=True)
    return (q @ k.mT).tril() @ u


class DeltaRule(nn.Module):
    def __init__(self, d, heads=2):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.conv = ShortConv(3 * d, 4)
        self.beta = nn.Linear(d, heads)
        self.norm = nn.RMSNorm(d // heads)
        self.proj = nn.Linear(d, d, bias=False)

    def forward(self, x):
        b, t, d = x.shape
        qkv = F.silu(self.conv(self.qkv(x)))
        q, k, v = qkv.view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
        beta = self.beta(x).sigmoid().transpose(1, 2)[..., None]
        o = self.norm(delta_rule(q, k, v, beta))
        return self.proj(o.transpose(1, 2).reshape(b, t, d))
