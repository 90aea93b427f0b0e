"""Gated linear attention, chunk by chunk: S_t = Diag(α_t) S_{t-1} + k_t v_tᵀ, o_t = S_tᵀ q_t."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import nn


def gla_chunk(q, k, v, log_alpha, chunk=16):
    """All of shape (b, h, l, d). Exponents are differences of running sums within one chunk."""
    b, h, l, d = q.shape
    pad = (-l) % chunk
    if pad:
        q, k, v, log_alpha = (F.pad(t, (0, 0, 0, pad)) for t in (q, k, v, log_alpha))
    q, k, v, g = (rearrange(t, "b h (n c) d -> n b h c d", c=chunk) for t in (q, k, v, log_alpha))
    g = g.cumsum(dim=-2)
    state = q.new_zeros(b, h, d, v.shape[-1])
    mask = torch.ones(chunk, chunk, device=q.device, dtype=torch.bool).tril()
    outs = []
    for q_i, k_i, v_i, g_i in zip(q, k, v, g):
        inter = (q_i * g_i.exp()) @ state
        # exp(g_i - g_j) stays below one only for i >= j, so it is masked before it is used
        diff = g_i.unsqueeze(-2) - g_i.unsqueeze(-3)
        diff = diff.masked_fill(~mask[..., None], -torch.inf).exp()
        scores = torch.einsum("bhid,bhjd,bhijd->bhij", q_i, k_i, diff)
        outs.append(inter + scores @ v_i)
        last = g_i[..., -1:, :]
        state = state * last.exp().transpose(-1, -2) + (k_i * (last - g_i).exp()).mT @ v_i
    return torch.cat(outs, dim=-2)[..., :l, :]


class GatedLinearAttention(nn.Module):
    def __init__(self, dim, heads=4, low_rank=8, normalizer=16.0):
        super().__init__()
        self.heads, self.normalizer = heads, normalizer
        self.q_proj = nn.Linear(dim, dim // 2, bias=False)
        self.k_proj = nn.Linear(dim, dim // 2, bias=False)
        self.v_proj = nn.Linear(dim, dim, bias=False)
        self.g_proj = nn.Linear(dim, dim, bias=False)
        self.gk_proj = nn.Sequential(
            nn.Linear(dim, low_rank, bias=False), nn.Linear(low_rank, dim // 2)
        )
        self.o_proj = nn.Linear(dim, dim, bias=False)

    def forward(self, x):
        split = lambda t: rearrange(t, "b l (h d) -> b h l d", h=self.heads)  # noqa: E731
        q, k, v = split(self.q_proj(x)), split(self.k_proj(x)), split(self.v_proj(x))
        gk = split(F.logsigmoid(self.gk_proj(x)) / self.normalizer)
        o = gla_chunk(q * q.shape[-1] ** -0.5, k, v, gk)
        o = rearrange(F.rms_norm(o, o.shape[-1:]), "b h l d -> b l (h d)")
        return self.o_proj(o * F.silu(self.g_proj(x)))
