"""Differential attention: the difference of two softmax maps, λ learned.

A = softmax(Q₁K₁ᵀ/√d) - λ softmax(Q₂K₂ᵀ/√d)
λ = exp(λ_q1·λ_k1) - exp(λ_q2·λ_k2) + λ_init,  λ_init = 0.8 - 0.6 exp(-0.3 (l - 1))
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


def lambda_init_fn(depth):
    return 0.8 - 0.6 * math.exp(-0.3 * depth)


class MultiheadDiffAttn(nn.Module):
    def __init__(self, embed_dim, depth, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads // 2
        self.qkv_proj = nn.Linear(embed_dim, 3 * embed_dim, bias=False)
        self.out_proj = nn.Linear(embed_dim, embed_dim, bias=False)
        self.lambda_init = lambda_init_fn(depth)
        for name in ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2"):
            self.register_parameter(name, nn.Parameter(torch.randn(self.head_dim) * 0.1))
        self.subln = nn.RMSNorm(2 * self.head_dim, eps=1e-5)

    def forward(self, x):
        bsz, length, embed_dim = x.size()
        q, k, v = self.qkv_proj(x).chunk(3, dim=-1)
        q = q.view(bsz, length, 2 * self.num_heads, self.head_dim).transpose(1, 2)
        k = k.view(bsz, length, 2 * self.num_heads, self.head_dim).transpose(1, 2)
        v = v.view(bsz, length, self.num_heads, 2 * self.head_dim).transpose(1, 2)
        weights = torch.matmul(q * self.head_dim**-0.5, k.transpose(-1, -2))
        mask = torch.triu(torch.full([length, length], float("-inf"), device=x.device), 1)
        weights = F.softmax(weights + mask, dim=-1, dtype=torch.float32).type_as(weights)
        lambda_1 = torch.exp(torch.sum(self.lambda_q1 * self.lambda_k1))
        lambda_2 = torch.exp(torch.sum(self.lambda_q2 * self.lambda_k2))
        lambda_full = lambda_1 - lambda_2 + self.lambda_init
        weights = weights.view(bsz, self.num_heads, 2, length, length)
        weights = weights[:, :, 0] - lambda_full * weights[:, :, 1]
        attn = self.subln(torch.matmul(weights, v)) * (1 - self.lambda_init)
        return self.out_proj(attn.transpose(1, 2).reshape(bsz, length, embed_dim))


class DiffFormer(nn.Module):
    def __init__(self, vocab, d=64, layers=2, heads=2):
        super().__init__()
        self.embed = nn.Embedding(vocab, d, _weight=torch.randn(vocab, d) * 0.02)
        self.pos = nn.Parameter(torch.randn(512, d) * 0.02)
        self.attn = nn.ModuleList([MultiheadDiffAttn(d, i, heads) for i in range(layers)])
        self.ffn = nn.ModuleList(
            [
                nn.Sequential(nn.Linear(d, 3 * d), nn.Mish(), nn.Linear(3 * d, d))
                for _ in range(layers)
            ]
        )
        self.norms = nn.ParameterList([torch.ones(d) for _ in range(2 * layers)])

    def forward(self, ids):
        x = self.embed(ids) + self.pos[: ids.size(1)]
        for i, (attn, ffn) in enumerate(zip(self.attn, self.ffn)):
            x = x + attn(F.rms_norm(x, x.shape[-1:], self.norms[2 * i]))
            x = x + ffn(F.rms_norm(x, x.shape[-1:], self.norms[2 * i + 1]))
        return F.rms_norm(x, x.shape[-1:]) @ self.embed.weight.T


def build_model(ctx):
    return DiffFormer(ctx.vocab_size)
