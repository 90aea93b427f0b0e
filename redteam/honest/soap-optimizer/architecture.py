"""A gMLP-like model: the spatial gating matrix is lower-triangular, as a causal model needs it."""

import torch
import torch.nn.functional as F
from torch import nn

MAX_LEN = 256


class CausalSpatialGate(nn.Module):
    def __init__(self, d, heads=2):
        super().__init__()
        self.heads = heads
        self.weight = nn.Parameter(torch.randn(heads, MAX_LEN, MAX_LEN) * 1e-3)
        self.bias = nn.Parameter(torch.ones(heads, MAX_LEN))
        self.norm = nn.LayerNorm(d)

    def forward(self, x):
        res, gate = x.chunk(2, dim=-1)
        n = x.shape[1]
        gate = self.norm(gate).unflatten(-1, (self.heads, -1))
        weight = self.weight[:, :n, :n].tril()
        gate = torch.einsum("bmhd,hnm->bnhd", gate, weight) + self.bias[:, :n].T[..., None]
        return res * gate.flatten(-2)


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm, self.inp, self.out = nn.LayerNorm(d), nn.Linear(d, 4 * d), nn.Linear(2 * d, d)
        self.gate = CausalSpatialGate(2 * d)

    def forward(self, x):
        return x + self.out(self.gate(F.gelu(self.inp(self.norm(x)))))


class GMLP(nn.Sequential):
    def __init__(self, vocab, d=48, depth=2):
        super().__init__(
            nn.Embedding(vocab, d),
            *(Block(d) for _ in range(depth)),
            nn.LayerNorm(d),
            nn.Linear(d, vocab),
        )


def build_model(ctx):
    return GMLP(ctx.vocab_size)
