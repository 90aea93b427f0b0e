"""The model of the overhead benchmark: a plain transformer whose size `settings.py` says.

`../overhead.py` makes a bundle of this directory and a `settings.py`; `bare.py` trains the same model without PRISM.
"""

import torch
import torch.nn.functional as F
from settings import HEADS, LAYERS, WIDTH
from torch import nn


class Block(nn.Module):
    """Causal self-attention, then a small network at each position."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.attention_out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.down = nn.Linear(3 * WIDTH, WIDTH, bias=False)
        nn.init.zeros_(self.attention_out.weight)
        nn.init.zeros_(self.down.weight)

    def forward(self, x):
        rows, length, _ = x.shape
        heads = self.qkv(F.rms_norm(x, (WIDTH,))).view(rows, length, 3 * HEADS, -1)
        q, k, v = heads.transpose(1, 2).chunk(3, dim=1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.attention_out(y.transpose(1, 2).reshape(rows, length, WIDTH))
        return x + self.down(F.gelu(self.up(F.rms_norm(x, (WIDTH,)))))


class Model(nn.Module):
    """Blocks between an embedding and its transpose."""

    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.previous = nn.Parameter(torch.full((WIDTH,), 0.5))
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        nn.init.normal_(self.embedding.weight, std=0.02)

    def forward(self, tokens):
        x = self.embedding(tokens)
        x = x + self.previous * F.pad(x, (0, 0, 1, -1))
        for block in self.blocks:
            x = block(x)
        return F.linear(F.rms_norm(x, (WIDTH,)), self.embedding.weight)


def build_model(ctx):
    """Called by the harness under the forced seed, by `bare.py` under its own."""
    return Model(ctx.vocab_size)
