"""A GPT whose blocks are recomputed in the backward pass; a GPT-J-like rotary table cached by length."""

from typing import ClassVar, Dict

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint, checkpoint_sequential


class RotaryCache:
    """Tables by length. They depend on nothing learned, so they need not be in the snapshot."""

    tables: ClassVar[Dict[int, torch.Tensor]] = {}

    def __init__(self, dim):
        self.dim = dim

    def __contains__(self, length):
        return length in self.tables

    def __getitem__(self, length):
        if length not in self:
            freq = 10000 ** (-torch.arange(0, self.dim, 2) / self.dim)
            self.tables[length] = torch.outer(torch.arange(length).float(), freq).repeat_interleave(
                2, -1
            )
        return self.tables[length]


def rotate_every_two(x):
    return torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).flatten(-2)


class Block(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h, self.cache = h, RotaryCache(d // h)
        self.ln = nn.LayerNorm(d)
        self.q, self.k, self.v, self.o = (nn.Linear(d, d, bias=False) for _ in range(4))
        self.mlp = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def forward(self, x):
        B, T, _ = x.shape
        h = self.ln(x)
        table = self.cache[T].to(x.device)
        q, k, v = (f(h).view(B, T, self.h, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        q, k = (t * table.cos() + rotate_every_two(t) * table.sin() for t in (q, k))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return x + self.o(y.transpose(1, 2).reshape(B, T, -1)) + self.mlp(h)


class GPTJ(nn.Module):
    def __init__(self, vocab, d=64, h=4, n=4, segments=2):
        super().__init__()
        self.wte = nn.Embedding(vocab, d)
        self.h = nn.Sequential(*[Block(d, h) for _ in range(n)])
        self.segments = segments
        self.ln_f, self.lm_head = nn.LayerNorm(d), nn.Linear(d, vocab)

    def forward(self, ids):
        x = self.wte(ids)
        if self.training and torch.is_grad_enabled():
            x = checkpoint_sequential(self.h, self.segments, x, use_reentrant=False)
            x = checkpoint(self.ln_f, x, use_reentrant=False, preserve_rng_state=False)
        else:
            x = self.ln_f(self.h(x))
        return self.lm_head(x)


def build_model(ctx):
    return GPTJ(ctx.vocab_size)
