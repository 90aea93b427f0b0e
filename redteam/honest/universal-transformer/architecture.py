"""One block applied several times (weights tied over depth), with a learned step embedding and checkpointing."""

import torch
import torch.utils.checkpoint as ckpt
from torch import nn
from torch.nn import functional as F

STEPS = 3
D, H = 64, 4


class SharedBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln = nn.ModuleList([nn.LayerNorm(D), nn.LayerNorm(D)])
        self.qkv, self.o = nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.up, self.down = nn.Linear(D, 4 * D), nn.Linear(4 * D, D)

    def forward(self, x, step):
        B, T, _ = x.shape
        q, k, v = (
            t.view(B, T, H, D // H).transpose(1, 2)
            for t in self.qkv(self.ln[0](x + step)).chunk(3, -1)
        )
        x = x + self.o(
            F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        )
        return x + self.down(F.gelu(self.up(self.ln[1](x)), approximate="tanh"))


class UniversalTransformer(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.tok = nn.Embedding(vocab, D)
        self.step = nn.Parameter(torch.zeros(STEPS, D))
        self.block = SharedBlock()
        self.halt = nn.Linear(D, 1)
        self.out = nn.Linear(D, vocab)
        self.grad_checkpointing = True

    def process(self, x, step):
        """One application; recomputed in the backward pass when training."""
        if self.grad_checkpointing and self.training and torch.is_grad_enabled():
            return ckpt.checkpoint(self.block, x, step, use_reentrant=False)
        return self.block(x, step)

    def forward(self, ids):
        pos = torch.arange(ids.shape[1], device=ids.device)[:, None] / 10000 ** (
            torch.arange(0, D, 2, device=ids.device) / D
        )
        x = self.tok(ids) * D**0.5 + torch.cat([pos.sin(), pos.cos()], -1)
        remaining, mixed = torch.ones_like(x[..., :1]), torch.zeros_like(x)
        for i, step in enumerate(self.step):
            x = self.process(x, step)
            # adaptive computation: each position mixes its own states, no other position's
            p = torch.sigmoid(self.halt(x)) if i < STEPS - 1 else torch.ones_like(remaining)
            mixed = mixed + remaining * p * x
            remaining = remaining * (1 - p)
        return self.out(F.layer_norm(mixed, (D,)))


def build_model(ctx):
    return UniversalTransformer(ctx.vocab_size)
