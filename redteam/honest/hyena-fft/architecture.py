"""Hyena-like: implicit long convolutions by FFT, padded to twice the length so that they are causal.

y = ifft(fft(x, 2L) · fft(h, 2L))[:L],   h(t) = window(t) · MLP(positional features of t)
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def fftconv(u, k, D):
    """u (B, C, L), k (C, L). The padding to 2L keeps the circular part out of the first L outputs."""
    seqlen = u.shape[-1]
    fft_size = 2 * seqlen
    k_f = torch.fft.rfft(k, n=fft_size) / fft_size
    u_f = torch.fft.rfft(u.to(dtype=k.dtype), n=fft_size)
    y = torch.fft.irfft(u_f * k_f, n=fft_size, norm="forward")[..., :seqlen]
    return (y + u * D.unsqueeze(-1)).to(dtype=u.dtype)


class Sin(nn.Module):
    def __init__(self, dim, w=10):
        super().__init__()
        self.freq = nn.Parameter(w * torch.ones(1, dim))

    def forward(self, x):
        return torch.sin(self.freq * x)


class HyenaFilter(nn.Module):
    def __init__(self, d_model, emb_dim=5, order=16, max_len=1024):
        super().__init__()
        t = torch.linspace(0, 1, max_len)[:, None]
        bands = (emb_dim - 1) // 2
        w = 2 * math.pi * torch.arange(max_len)[:, None] / max_len
        f = torch.linspace(1e-4, bands - 1, bands)[None]
        z = torch.cat([t, torch.cos(f * w), -torch.sin(f * w)], dim=-1)
        self.register_buffer("z", z, persistent=False)
        self.register_buffer("t", t, persistent=False)
        deltas = torch.linspace(math.log(1e-2) / 1.5, math.log(1e-2) / 0.3, d_model)
        self.register_buffer("deltas", deltas.abs(), persistent=False)
        act = Sin(order)
        self.implicit = nn.Sequential(
            nn.Linear(emb_dim, order),
            act,
            nn.Linear(order, order),
            act,
            nn.Linear(order, d_model, bias=False),
        )
        self.bias = nn.Parameter(torch.randn(d_model))

    def filter(self, L):
        h = self.implicit(self.z[:L])
        return (h * (torch.exp(-8 * self.t[:L] * self.deltas) + 0.05)).T

    def forward(self, x):
        return fftconv(x, self.filter(x.shape[-1]), self.bias)


class HyenaOperator(nn.Module):
    def __init__(self, d_model, order=2):
        super().__init__()
        self.order = order
        inner = d_model * (order + 1)
        self.in_proj = nn.Linear(d_model, inner)
        self.short_filter = nn.Conv1d(inner, inner, 3, padding=2, groups=inner)
        self.filter_fn = nn.ModuleList(HyenaFilter(d_model) for _ in range(order - 1))
        self.out_proj = nn.Linear(d_model, d_model)

    def forward(self, u):
        l = u.size(-2)
        u = self.in_proj(u).transpose(1, 2)
        uc = self.short_filter(u)[..., :l]
        *x, v = uc.chunk(self.order + 1, dim=1)
        for x_i, conv in zip(reversed(x[1:]), self.filter_fn):
            v = conv(v * x_i)
        return self.out_proj((v * x[0]).transpose(1, 2))


class Hyena(nn.Module):
    def __init__(self, vocab, d=48, depth=2):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.ops = nn.ModuleList(HyenaOperator(d) for _ in range(depth))
        self.mlp = nn.ModuleList(nn.Linear(d, d) for _ in range(depth))
        self.head = nn.Linear(d, vocab)

    def forward(self, ids):
        h = self.emb(ids)
        for op, mlp in zip(self.ops, self.mlp):
            h = h + op(F.layer_norm(h, h.shape[-1:]))
            h = h + F.gelu(mlp(F.layer_norm(h, h.shape[-1:])))
        return self.head(h)


def build_model(ctx):
    return Hyena(ctx.vocab_size)
