"""Helper-heavy style: exists / default / cast_tuple, packed shapes, a decorated feature list."""

from __future__ import annotations

from collections import namedtuple
from functools import partial, wraps
from math import ceil, log
from typing import Callable

import torch
import torch.nn.functional as F
from einops import pack, rearrange, repeat, unpack
from einops.layers.torch import Rearrange
from torch import einsum, nn
from torch.nn import Module, ModuleList

# constants

Intermediates = namedtuple("Intermediates", ["queries", "keys"])

LinearNoBias = partial(nn.Linear, bias=False)

# helpers


def exists(val):
    return val is not None


def default(val, d):
    if exists(val):
        return val
    return d() if callable(d) else d


def cast_tuple(val, depth):
    return val if isinstance(val, tuple) else (val,) * depth


def divisible_by(num, den):
    return (num % den) == 0


def identity(t, *args, **kwargs):
    return t


def pack_one(t, pattern):
    return pack([t], pattern)


def unpack_one(t, ps, pattern):
    return unpack(t, ps, pattern)[0]


def compact(arr):
    return [*filter(exists, arr)]


def maybe(fn: Callable | None):
    if not exists(fn):
        return identity

    @wraps(fn)
    def inner(x, *args, **kwargs):
        if not exists(x):
            return x
        return fn(x, *args, **kwargs)

    return inner


def once(fn):
    called = False

    @wraps(fn)
    def inner(x):
        nonlocal called
        if called:
            return
        called = True
        return fn(x)

    return inner


print_once = once(print)


def next_multiple(n, m):
    return ceil(n / m) * m


# norms


class PreNorm(Module):
    def __init__(self, dim, fn):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fn = fn

    def forward(self, x, **kwargs):
        return self.fn(self.norm(x), **kwargs)


def l2norm(t, groups=1):
    t = rearrange(t, "... (g d) -> ... g d", g=groups)
    t = F.normalize(t, p=2, dim=-1)
    return rearrange(t, "... g d -> ... (g d)")


# bias


class AlibiLike(Module):
    def __init__(self, heads):
        super().__init__()
        slopes = torch.tensor([2 ** (-8.0 * (i + 1) / heads) for i in range(heads)])
        self.register_buffer("slopes", rearrange(slopes, "h -> h 1 1"), persistent=False)

    def forward(self, n):
        pos = torch.arange(n, device=self.slopes.device)
        dist = rearrange(pos, "j -> 1 1 j") - rearrange(pos, "i -> 1 i 1")
        return self.slopes * dist.clamp(max=0)


class Attention(Module):
    def __init__(self, dim, *, dim_head=16, heads=4, qk_norm_scale=None, value_gate=True):
        super().__init__()
        dim_inner = dim_head * heads
        self.scale = default(qk_norm_scale, lambda: log(512))
        self.to_qkv = nn.Sequential(
            LinearNoBias(dim, dim_inner * 3),
            Rearrange("b n (qkv h d) -> qkv b h n d", qkv=3, h=heads),
        )
        self.to_gate = nn.Sequential(LinearNoBias(dim, heads), Rearrange("b n h -> b h n 1"))
        self.value_gate = value_gate
        self.alibi = AlibiLike(heads)
        self.merge = Rearrange("b h n d -> b n (h d)")
        self.to_out = LinearNoBias(dim_inner, dim)

    def forward(self, x, return_intermediates=False):
        n, device = x.shape[1], x.device
        q, k, v = self.to_qkv(x)
        q, k = map(l2norm, (q, k))
        sim = einsum("b h i d, b h j d -> b h i j", q, k) * self.scale + self.alibi(n)
        causal_mask = torch.ones((n, n), dtype=torch.bool, device=device).triu(1)
        sim = sim.masked_fill(causal_mask, -torch.finfo(sim.dtype).max)
        attn = sim.softmax(dim=-1)
        out = einsum("b h i j, b h j d -> b h i d", attn, v)
        if self.value_gate:
            out = out * self.to_gate(x).sigmoid()
        out = self.to_out(self.merge(out))
        if not return_intermediates:
            return out
        return out, Intermediates(q, k)


class GEGLU(Module):
    def forward(self, x):
        x, gate = x.chunk(2, dim=-1)
        return F.gelu(gate) * x


def FeedForward(dim, mult=4):
    dim_inner = next_multiple(int(dim * mult * 2 / 3), 16)
    return nn.Sequential(nn.Linear(dim, dim_inner * 2), GEGLU(), nn.Linear(dim_inner, dim))


class Transformer(Module):
    def __init__(self, *, num_tokens, dim, depth, heads=4, ff_mult: int | tuple[int, ...] = 2):
        super().__init__()
        self.token_emb = nn.Embedding(num_tokens, dim)
        self.memory = nn.Parameter(torch.randn(2, dim) * 0.02)
        self.layers = ModuleList([])
        for mult in cast_tuple(ff_mult, depth):
            attn = PreNorm(dim, Attention(dim, heads=heads))
            self.layers.append(ModuleList([attn, PreNorm(dim, FeedForward(dim, mult))]))
        self.to_logits = nn.Sequential(nn.LayerNorm(dim), LinearNoBias(dim, num_tokens))

    def forward(self, ids, embed_scale=None):
        x = self.token_emb(ids) * default(embed_scale, 1.0)
        mem = repeat(self.memory, "m d -> b m d", b=x.shape[0])
        x, ps = pack([mem, x], "b * d")
        for attn, ff in self.layers:
            x = attn(x) + x
            x = ff(x) + x
        _, x = unpack(x, ps, "b * d")
        return self.to_logits(x)


def build_model(ctx):
    print_once("building")
    return Transformer(num_tokens=ctx.vocab_size, dim=64, depth=2)
