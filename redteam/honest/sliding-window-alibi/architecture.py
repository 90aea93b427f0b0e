"""Alternating sliding-window and full attention, with ALiBi slopes; every mask is made once, in __init__."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def get_slopes(n):
    """Slopes of ALiBi for n heads, also where n is no power of two."""

    def get_slopes_power_of_2(n):
        start = 2 ** (-(2 ** -(math.log2(n) - 3)))
        return [start * start**i for i in range(n)]

    if math.log2(n).is_integer():
        return get_slopes_power_of_2(n)
    closest = 2 ** math.floor(math.log2(n))
    return get_slopes_power_of_2(closest) + get_slopes(2 * closest)[0::2][: n - closest]


class WindowAttention(nn.Module):
    def __init__(self, dim, heads, window=None, max_len=512):
        super().__init__()
        self.heads = heads
        self.Wqkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out_proj = nn.Linear(dim, dim, bias=False)
        i = torch.arange(max_len).unsqueeze(1)
        j = torch.arange(max_len).unsqueeze(0)
        open = (j <= i) if window is None else (j <= i) & (j > i - window)
        bias = -torch.tensor(get_slopes(heads)).view(-1, 1, 1) * (i - j).abs()
        bias = bias.masked_fill(~open, float("-inf"))
        self.register_buffer("attn_bias", bias, persistent=False)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.Wqkv(x).chunk(3, dim=-1)
        q, k, v = [t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (q, k, v)]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=self.attn_bias[:, :T, :T])
        return self.out_proj(y.transpose(1, 2).flatten(-2))

    def extra_repr(self):
        return "heads={heads}".format(heads=self.heads)


class Layer(nn.Module):
    def __init__(self, dim, heads, window):
        super().__init__()
        self.attn_norm, self.mlp_norm = nn.RMSNorm(dim), nn.RMSNorm(dim)
        self.attn = WindowAttention(dim, heads, window)
        self.Wi, self.Wo = nn.Linear(dim, 4 * dim, bias=False), nn.Linear(2 * dim, dim, bias=False)

    def forward(self, x):
        x = x + self.attn(self.attn_norm(x))
        a, g = self.Wi(self.mlp_norm(x)).chunk(2, dim=-1)
        return x + self.Wo(F.gelu(a) * g)


class Model(nn.Module):
    def __init__(self, vocab, dim=72, heads=6, windows=(16, None, 32)):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim)
        self.layers = nn.ModuleList(Layer(dim, heads, w) for w in windows)
        self.norm = nn.RMSNorm(dim)
        self.decoder = nn.Linear(dim, vocab, bias=False)
        self.apply(self.init)

    @torch.no_grad()
    def init(self, m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.trunc_normal_(m.weight, std=0.02, a=-0.06, b=0.06)

    def forward(self, ids):
        x = self.emb(ids)
        for layer in self.layers:
            x = layer(x)
        return self.decoder(self.norm(x))


def build_model(ctx):
    return Model(ctx.vocab_size)
