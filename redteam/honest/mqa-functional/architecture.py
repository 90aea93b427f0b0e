"""Multi-query attention with parallel blocks (attention and MLP side by side), PaLM-like."""

import torch
from torch import einsum, nn
from einops import rearrange
import torch.nn.functional as F


class ParallelBlock(nn.Module):
    def __init__(self, dim, dim_head=16, heads=4, ff_mult=2):
        super().__init__()
        self.heads, self.scale = heads, dim_head**-0.5
        self.fused_dims = (heads * dim_head, dim_head, dim_head, 2 * ff_mult * dim)
        self.norm = nn.LayerNorm(dim, bias=False)
        self.fused_proj = nn.Linear(dim, sum(self.fused_dims), bias=False)
        self.attn_out = nn.Linear(heads * dim_head, dim, bias=False)
        self.ff_out = nn.Linear(ff_mult * dim, dim, bias=False)
        inv_freq = 10000 ** -(torch.arange(0, dim_head, 2) / dim_head)
        self.register_buffer("inv_freq", inv_freq, persistent=False)

    def rope(self, t):
        pos = einsum(
            "i, j -> i j", torch.arange(t.shape[-2], device=t.device).float(), self.inv_freq
        )
        pos = torch.cat((pos, pos), dim=-1)
        x1, x2 = rearrange(t, "... (j d) -> ... j d", j=2).unbind(dim=-2)
        return t * pos.cos() + torch.cat((-x2, x1), dim=-1) * pos.sin()

    def forward(self, x):
        n = x.shape[1]
        q, k, v, ff = self.fused_proj(self.norm(x)).split(self.fused_dims, dim=-1)
        q = rearrange(q, "b n (h d) -> b h n d", h=self.heads) * self.scale
        q, k = self.rope(q), self.rope(k)
        sim = einsum("b h i d, b j d -> b h i j", q, k)  # one key head for all query heads
        causal = torch.ones((n, n), device=x.device, dtype=torch.bool).triu(1)
        attn = sim.masked_fill(causal, -torch.finfo(sim.dtype).max).softmax(dim=-1)
        out = rearrange(einsum("b h i j, b j d -> b h i d", attn, v), "b h n d -> b n (h d)")
        a, gate = ff.chunk(2, dim=-1)
        return x + self.attn_out(out) + self.ff_out(F.silu(gate) * a)


def MQA(*, dim, num_tokens, depth, **kwargs):
    net = nn.Sequential(
        nn.Embedding(num_tokens, dim),
        *[ParallelBlock(dim, **kwargs) for _ in range(depth)],
        nn.LayerNorm(dim, bias=False),
        nn.Linear(dim, num_tokens, bias=False),
    )
    net[-1].weight = net[0].weight
    nn.init.normal_(net[0].weight, std=0.02)
    return net


def build_model(ctx):
    return MQA(dim=64, num_tokens=ctx.vocab_size, depth=2, heads=4)
