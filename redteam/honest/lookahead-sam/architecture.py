"""Fast weight programmers' cousin: causal attention through time with a learned kernel (AFT-conv-like).

y_t = σ(q_t) ⊙ Σ_{s≤t} e^{k_s + w_{t-s}} v_s / Σ_{s≤t} e^{k_s + w_{t-s}}
"""

import torch
from torch import nn
from torch.nn import functional as F

MAX = 512


class AFT(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.qkv, self.o = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.w = nn.Parameter(-0.05 * torch.arange(MAX).float())

    def forward(self, x):
        T = x.shape[1]
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        index = torch.arange(T, device=x.device)
        distance = index[:, None] - index[None, :]
        w = self.w[distance.clamp(min=0)].masked_fill(distance < 0, float("-inf")).exp()
        ek = k.clamp(max=15).exp()
        return self.o(torch.sigmoid(q) * (w @ (ek * v)) / (w @ ek))


class Model(nn.Module):
    def __init__(self, V, d=64, n=2):
        super().__init__()
        self.emb = nn.Embedding(V, d)
        self.aft = nn.ModuleList(AFT(d) for _ in range(n))
        self.ff = nn.ModuleList(
            nn.Sequential(nn.Linear(d, 3 * d), nn.Hardswish(), nn.Linear(3 * d, d))
            for _ in range(n)
        )
        self.out = nn.Linear(d, V)

    def forward(self, x):
        x = self.emb(x)
        for a, f in zip(self.aft, self.ff):
            x = a(F.layer_norm(x, x.shape[-1:])) + x
            x = f(F.layer_norm(x, x.shape[-1:])) + x
        return self.out(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
