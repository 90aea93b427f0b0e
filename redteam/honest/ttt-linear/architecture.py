"""Test-time training: the hidden state is a linear model, updated by gradient steps along the sequence.

Inner loss on a mini-batch of positions: ½‖k W - v‖². The gradient is taken with torch.func, so the
outer training differentiates through the inner one. A mini-batch of positions is predicted with the
weights of the mini-batches before it, and with its own earlier positions through a masked product:
    o_t = q_t W₀ - η Σ_{s≤t} (q_t·k_s) (k_s W₀ - v_s)
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import grad, vmap

MINI_BATCH = 8


def inner_loss(W, k, v, weight):
    return 0.5 * ((k @ W - v).square().sum(-1) * weight).sum()


class TTTLinear(nn.Module):
    def __init__(self, d, heads=2):
        super().__init__()
        self.heads, self.hd = heads, d // heads
        self.W0 = nn.Parameter(torch.randn(heads, self.hd, self.hd) * 0.02)
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.lr = nn.Linear(d, heads)
        self.o = nn.Linear(d, d, bias=False)
        # over heads, then over rows
        self.inner = vmap(vmap(grad(inner_loss)))

    def forward(self, x):
        B, T, d = x.shape
        pad = -T % MINI_BATCH
        q, k, v = (
            F.pad(self.qkv(x), (0, 0, 0, pad))
            .view(B, T + pad, 3, self.heads, self.hd)
            .permute(2, 0, 3, 1, 4)
        )
        q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
        eta = F.pad(torch.sigmoid(self.lr(x)), (0, 0, 0, pad)).transpose(1, 2)
        W = self.W0.expand(B, -1, -1, -1)
        out = []
        for i in range(0, T + pad, MINI_BATCH):
            s = slice(i, i + MINI_BATCH)
            qi, ki, vi, ei = q[:, :, s], k[:, :, s], v[:, :, s], eta[:, :, s]
            residual = (ki @ W - vi) * ei.unsqueeze(-1)
            out.append(qi @ W - (qi @ ki.mT).tril() @ residual)
            W = W - self.inner(W, ki, vi, ei)
        y = torch.cat(out, 2)[:, :, :T]
        return self.o(F.layer_norm(y, (self.hd,)).transpose(1, 2).reshape(B, T, d))


class TTTModel(nn.Module):
    def __init__(self, vocab, d=48, depth=2):
        super().__init__()
        self.wte = nn.Embedding(vocab, d)
        self.ttt = nn.ModuleList(TTTLinear(d) for _ in range(depth))
        self.mlp = nn.ModuleList(
            nn.Sequential(nn.Linear(d, 3 * d), nn.GELU(), nn.Linear(3 * d, d)) for _ in range(depth)
        )
        self.head = nn.Linear(d, vocab, bias=False)

    def forward(self, ids):
        x = self.wte(ids)
        for ttt, mlp in zip(self.ttt, self.mlp):
            x = x + ttt(F.layer_norm(x, x.shape[-1:]))
            x = x + mlp(F.layer_norm(x, x.shape[-1:]))
        return self.head(F.layer_norm(x, x.shape[-1:]))


def build_model(ctx):
    return TTTModel(ctx.vocab_size)
