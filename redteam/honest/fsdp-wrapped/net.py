"""The network: RMSNorm, rotary attention by torch's complex numbers left out, ReGLU."""

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm_a, self.norm_b = nn.RMSNorm(dim), nn.RMSNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, dim * 3, bias=False), nn.Linear(dim, dim, bias=False)
        self.w_in, self.w_out = (
            nn.Linear(dim, dim * 4, bias=False),
            nn.Linear(dim * 2, dim, bias=False),
        )

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm_a(x)).view(b, t, 3, self.heads, d // self.heads).unbind(2)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        att = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(att.transpose(1, 2).contiguous().view(b, t, d))
        a, g = self.w_in(self.norm_b(x)).chunk(2, dim=-1)
        return x + self.w_out(a * F.relu(g))


class Net(nn.Module):
    def __init__(self, vocab: int, dim: int, heads: int, depth: int):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.prefix = nn.Conv1d(dim, dim, 4, groups=dim)
        self.blocks = nn.ModuleList([Block(dim, heads) for _ in range(depth)])
        self.unembed = nn.Linear(dim, vocab, bias=False)

    def forward(self, ids):
        x = self.embed(ids)
        x = x + self.prefix(F.pad(x.transpose(1, 2), (3, 0))).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.unembed(F.rms_norm(x, x.shape[-1:]))
