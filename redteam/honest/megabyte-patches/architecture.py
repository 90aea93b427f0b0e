"""MEGABYTE-like: a global model over patches of bytes, a local model within each patch.

The global model sees the patches before this one; the local one also the earlier bytes of the patch.
"""

from collections import defaultdict

import torch
import torch.nn.functional as F
from einops import rearrange, reduce, repeat
from torch import nn


class CausalTransformer(nn.Module):
    def __init__(self, d, h, n, max_len):
        super().__init__()
        self.h = h
        self.pos = nn.Parameter(torch.randn(max_len, d) * 0.02)
        make = {"qkv": lambda: nn.Linear(d, 3 * d), "o": lambda: nn.Linear(d, d)}
        make |= {"up": lambda: nn.Linear(d, 2 * d), "down": lambda: nn.Linear(2 * d, d)}
        parts = defaultdict(nn.ModuleList)
        for _ in range(n):
            for name, fn in make.items():
                parts[name].append(fn())
        self.parts = nn.ModuleDict(parts)

    def forward(self, x):
        x = x + self.pos[: x.shape[1]]
        for qkv, o, up, down in zip(*(self.parts[k] for k in ("qkv", "o", "up", "down"))):
            q, k, v = rearrange(
                qkv(F.layer_norm(x, x.shape[-1:])), "b t (n h d) -> n b h t d", n=3, h=self.h
            )
            x = x + o(
                rearrange(
                    F.scaled_dot_product_attention(q, k, v, is_causal=True), "b h t d -> b t (h d)"
                )
            )
            x = x + down(F.gelu(up(F.layer_norm(x, x.shape[-1:]))))
        return x


class Megabyte(nn.Module):
    def __init__(self, vocab, d_global=96, d_local=48, patch=4):
        super().__init__()
        self.patch = patch
        self.local_emb, self.patch_emb = (
            nn.Embedding(vocab, d_local),
            nn.Embedding(vocab, d_global // patch),
        )
        self.global_model = CausalTransformer(d_global, 4, 1, 256)
        self.local_model = CausalTransformer(d_local, 4, 1, patch)
        self.start = nn.Parameter(torch.randn(d_global) * 0.02)
        self.to_local = nn.Linear(d_global, d_local)
        self.summary = nn.Linear(d_local, d_local)
        self.head = nn.Linear(d_local, vocab)

    def forward(self, ids):
        b, t = ids.shape
        ids = F.pad(ids, (0, -t % self.patch))
        patches = rearrange(self.patch_emb(ids), "b (n p) d -> b n (p d)", p=self.patch)
        # shifted by one whole patch: nothing of the current patch is seen globally
        patches = torch.cat([repeat(self.start, "d -> b 1 d", b=b), patches[:, :-1]], dim=1)
        context = rearrange(self.to_local(self.global_model(patches)), "b n d -> (b n) 1 d")
        tokens = rearrange(self.local_emb(ids), "b (n p) d -> (b n) p d", p=self.patch)
        before = reduce(
            rearrange(context, "(b n) 1 d -> b n d", b=b).cumsum(1), "b n d -> (b n) 1 d", "mean"
        )
        out = self.local_model(tokens + context + self.summary(torch.tanh(before)))
        return rearrange(self.head(out), "(b n) p v -> b (n p) v", b=b)[:, :t]


def build_model(ctx):
    return Megabyte(ctx.vocab_size)
