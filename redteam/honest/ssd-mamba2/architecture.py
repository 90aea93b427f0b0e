"""State space duality in its chunked form (Mamba-2 like), minimal.

The sequence is cut into chunks of Q. Within a chunk the output is a masked attention
    Y_diag = (L ∘ C Bᵀ) X,  L[i, j] = a_{j+1} ... a_i;
between chunks only the (heads, P, N) states are passed on.
"""

import torch
import torch.nn.functional as F
from torch import nn

CHUNK = 16


def segsum(x):
    """Stable segment sum: out[..., i, j] = sum of x[..., j+1 .. i], -inf above the diagonal."""
    T = x.size(-1)
    x = x[..., None].expand(*x.shape, T)
    mask = torch.tril(torch.ones(T, T, device=x.device, dtype=torch.bool), diagonal=-1)
    x = x.masked_fill(~mask, 0)
    s = torch.cumsum(x, dim=-2)
    mask = torch.tril(torch.ones(T, T, device=x.device, dtype=torch.bool), diagonal=0)
    return s.masked_fill(~mask, -torch.inf)


def ssd(X, A, B, C, Q):
    """X (b, l, h, p), A (b, l, h) log-decays, B and C (b, l, h, n); l is a multiple of Q."""
    b, l, h, p = X.shape
    n = B.shape[-1]
    c = l // Q
    X, B, C = (t.reshape(b, c, Q, h, -1) for t in (X, B, C))
    A = A.reshape(b, c, Q, h).permute(0, 3, 1, 2)
    A_cum = torch.cumsum(A, dim=-1)
    L = torch.exp(segsum(A))
    Y_diag = torch.einsum("bclhn,bcshn,bhcls,bcshp->bclhp", C, B, L, X)
    decay_states = torch.exp(A_cum[:, :, :, -1:] - A_cum)
    states = torch.einsum("bclhn,bhcl,bclhp->bchpn", B, decay_states, X)
    states = torch.cat([states.new_zeros(b, 1, h, p, n), states], dim=1)
    decay_chunk = torch.exp(segsum(F.pad(A_cum[:, :, :, -1], (1, 0))))
    states = torch.einsum("bhzc,bchpn->bzhpn", decay_chunk, states)[:, :-1]
    Y_off = torch.einsum("bclhn,bchpn,bhcl->bclhp", C, states, torch.exp(A_cum))
    return (Y_diag + Y_off).reshape(b, l, h, p)


class Mixer(nn.Module):
    def __init__(self, d, h=4, n=16):
        super().__init__()
        self.h, self.n, self.p = h, n, 2 * d // h
        self.inp = nn.Linear(d, 2 * d + 2 * d + 2 * h * n + h, bias=False)
        self.conv = nn.Conv1d(2 * d + 2 * h * n, 2 * d + 2 * h * n, 4, groups=2 * d + 2 * h * n)
        self.dt_bias = nn.Parameter(torch.linspace(-4, 0, h))
        self.A_log = nn.Parameter(torch.zeros(h))
        self.skip = nn.Parameter(torch.ones(h, 1))
        self.norm = nn.RMSNorm(2 * d)
        self.out = nn.Linear(2 * d, d, bias=False)
        self.d = d

    def forward(self, u):
        b, l, _ = u.shape
        z, xbc, dt = self.inp(u).split([2 * self.d, 2 * self.d + 2 * self.h * self.n, self.h], -1)
        xbc = F.silu(self.conv(F.pad(xbc.mT, (3, 0))).mT)
        x, B, C = xbc.split([2 * self.d, self.h * self.n, self.h * self.n], -1)
        dt = F.softplus(dt + self.dt_bias)
        x = x.view(b, l, self.h, self.p)
        B, C = B.view(b, l, self.h, self.n), C.view(b, l, self.h, self.n)
        A = -self.A_log.exp() * dt
        pad = -l % CHUNK
        padded = [F.pad(t, (0, 0) * (t.ndim - 2) + (0, pad)) for t in (x * dt[..., None], A, B, C)]
        y = ssd(*padded, CHUNK)[:, :l] + self.skip * x
        y = self.norm(y.reshape(b, l, -1) * F.silu(z))
        return self.out(y)


class LM(nn.Module):
    def __init__(self, V, d=48, layers=2):
        super().__init__()
        self.emb = nn.Embedding(V, d)
        self.norms = nn.ModuleList(nn.RMSNorm(d) for _ in range(layers))
        self.mixers = nn.ModuleList(Mixer(d) for _ in range(layers))
        self.head = nn.Linear(d, V, bias=False)
        self.emb.weight.data.mul_(0.02)

    def forward(self, ids):
        x = self.emb(ids)
        for n, m in zip(self.norms, self.mixers, strict=True):
            x = x + m(n(x))
        return self.head(x)


def build_model(ctx):
    return LM(ctx.vocab_size)
