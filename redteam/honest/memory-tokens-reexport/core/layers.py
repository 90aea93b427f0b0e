"""Attention over learned memory slots and the past; optional einops."""

import torch
from torch import nn
from torch.nn import functional as F

try:
    from einops import rearrange
except ImportError:  # an older runtime
    rearrange = None


def heads(x, h):
    if rearrange is not None:
        return rearrange(x, "b t (h d) -> b h t d", h=h)
    return x.unflatten(-1, (h, -1)).transpose(1, 2)


class MemoryAttention(nn.Module):
    def __init__(self, d: int, h: int, slots: int) -> None:
        super().__init__()
        self.h, self.slots = h, slots
        self.q, self.kv, self.o = nn.Linear(d, d), nn.Linear(d, 2 * d), nn.Linear(d, d)
        self.memory = nn.Parameter(torch.randn(2, slots, d) * d**-0.5)

    def forward(self, x):
        b, t, _ = x.shape
        k, v = self.kv(x).chunk(2, dim=-1)
        k, v = (torch.cat([m.expand(b, -1, -1), z], dim=1) for m, z in zip(self.memory, (k, v)))
        # all slots are visible to all positions; the past is to the right of the slots
        mask = torch.ones(t, t + self.slots, dtype=torch.bool, device=x.device).tril(self.slots)
        y = F.scaled_dot_product_attention(
            heads(self.q(x), self.h), heads(k, self.h), heads(v, self.h), mask
        )
        return self.o(y.transpose(1, 2).flatten(2))
