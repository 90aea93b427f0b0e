"""Talking heads, sandwich norm and attention sinks; mathematically named variables (Greek letters).

Комментарий, 注釈, σχόλιο: comments may be in any language. Emoji too: 🧮
"""

import torch
from torch import nn
from torch.nn import functional as F

π = 3.141592653589793
ε = 1e-6


def gelu(x):
    """½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))"""
    return 0.5 * x * (1 + torch.tanh((2 / π) ** 0.5 * (x + 0.044715 * x**3)))


class TalkingHeads(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.Wq, self.Wk, self.Wv, self.Wo = (
            nn.Parameter(torch.randn(d, d) * d**-0.5) for _ in range(4)
        )
        self.Λ = nn.Parameter(torch.eye(h) + 0.01 * torch.randn(h, h))
        self.Γ = nn.Parameter(torch.eye(h))
        self.sink = nn.Parameter(torch.zeros(h, 1, 1))

    def forward(self, x):
        B, T, d = x.shape
        q, k, v = (
            (x @ W).view(B, T, self.h, -1).transpose(1, 2) for W in (self.Wq, self.Wk, self.Wv)
        )
        s = torch.einsum("bhij,hg->bgij", q @ k.mT * (d / self.h) ** -0.5, self.Λ)
        s = s.masked_fill(torch.ones(T, T, dtype=torch.bool, device=x.device).triu(1), -1e9)
        s = torch.cat([self.sink.expand(B, -1, T, 1), s], dim=-1)  # a place to attend to nothing
        α = s.softmax(-1)[..., 1:]
        α = torch.einsum("bgij,gh->bhij", α, self.Γ)
        return (α @ v).transpose(1, 2).reshape(B, T, d) @ self.Wo


class Model(nn.Module):
    def __init__(self, V, d=64, h=4, n=2):
        super().__init__()
        self.E = nn.Parameter(torch.randn(V, d) * 0.02)
        self.φ = nn.Parameter(torch.randn(512, d) * 0.02)
        self.attn = nn.ModuleList(TalkingHeads(d, h) for _ in range(n))
        self.W1 = nn.ParameterList(torch.randn(d, 3 * d) * d**-0.5 for _ in range(n))
        self.W2 = nn.ParameterList(torch.zeros(3 * d, d) for _ in range(n))
        self.β = nn.Parameter(torch.zeros(V))

    @staticmethod
    def μσ(x):
        μ, σ2 = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return (x - μ) / (σ2 + ε).sqrt()

    def forward(self, ids):
        x = self.E[ids] + self.φ[: ids.shape[1]]
        for attn, W1, W2 in zip(self.attn, self.W1, self.W2):
            x = x + self.μσ(attn(self.μσ(x)))
            x = x + gelu(self.μσ(x) @ W1) @ W2
        return self.μσ(x) @ self.E.T + self.β


def build_model(ctx):
    return Model(ctx.vocab_size)
