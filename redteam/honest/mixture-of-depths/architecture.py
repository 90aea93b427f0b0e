"""Mixture of depths: a router decides token by token whether a block is applied.

The published top-k over the sequence looks into the future; here each token decides by a threshold
on its own score (what the paper's auxiliary predictor does at sampling time), so it is causal.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.q, self.kv, self.o = nn.Linear(d, d), nn.Linear(d, 2 * d), nn.Linear(d, d)

    def forward(self, x, active):
        B, T, D = x.shape
        heads = lambda t: t.view(B, T, self.h, -1).transpose(1, 2)
        k, v = self.kv(x).chunk(2, -1)
        # a key is visible if it lies in the past and its token is active; oneself always is
        past = torch.ones(T, T, dtype=torch.bool, device=x.device).tril()
        visible = past & (active[:, None, :] | torch.eye(T, dtype=torch.bool, device=x.device))
        y = F.scaled_dot_product_attention(
            heads(self.q(x)), heads(k), heads(v), attn_mask=visible[:, None]
        )
        return self.o(y.transpose(1, 2).reshape(B, T, D))


class MoDBlock(nn.Module):
    def __init__(self, d, h, routed: bool):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.attn = Attention(d, h)
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        self.router = nn.Linear(d, 1) if routed else None

    def forward(self, x):
        if self.router is None:
            active, gate = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device), 1.0
        else:
            score = self.router(x)
            gate = torch.sigmoid(score)
            active = score.squeeze(-1) > 0
            gate = gate * active[..., None]
        h = x + gate * self.attn(self.n1(x), active)
        return h + gate * self.mlp(self.n2(h))


class MoD(nn.Module):
    def __init__(self, vocab, d=64, h=4, depth=4):
        super().__init__()
        self.wte = nn.Embedding(vocab, d)
        self.blocks = nn.ModuleList([MoDBlock(d, h, routed=bool(i % 2)) for i in range(depth)])
        self.ln_f = nn.LayerNorm(d)
        nn.init.normal_(self.wte.weight, std=0.02)

    def forward(self, ids):
        x = self.wte(ids)
        x = x + 0.5 * F.pad(x, (0, 0, 1, -1))
        for block in self.blocks:
            x = block(x)
        return F.linear(self.ln_f(x), self.wte.weight)


def build_model(ctx):
    return MoD(ctx.vocab_size)
