"""flex_attention with a causal sliding-window block mask and a score modification (softcap + ALiBi)."""

from functools import lru_cache, partial

import torch
import torch.nn as nn
from torch.nn.attention.flex_attention import (
    BlockMask,
    and_masks,
    create_block_mask,
    flex_attention,
)

WINDOW = 32


def causal(b, h, q_idx, kv_idx):
    return q_idx >= kv_idx


def sliding_window(b, h, q_idx, kv_idx):
    return q_idx - kv_idx < WINDOW


def document(ids, separator):
    """Attention within a document: tokens with as many separators before them."""
    docs = (ids == separator).cumsum(-1)

    def mask_mod(b, h, q_idx, kv_idx):
        return docs[b, q_idx] == docs[b, kv_idx]

    return mask_mod


@lru_cache
def window_mask(length: int, device: str) -> BlockMask:
    return create_block_mask(
        and_masks(causal, sliding_window), None, None, length, length, device=device
    )


def softcapped(score, b, h, q_idx, kv_idx, *, cap, slopes):
    score = cap * torch.tanh(score / cap)
    return score + slopes[h] * (kv_idx - q_idx)


def reference_attention(q, k, v, *, score_mod, mask_mod):
    """What flex_attention computes, in full; for devices without its backward pass."""
    B, H, T, D = q.shape
    b, h = (
        torch.arange(B, device=q.device).view(-1, 1, 1, 1),
        torch.arange(H, device=q.device).view(1, -1, 1, 1),
    )
    i, j = (
        torch.arange(T, device=q.device).view(1, 1, -1, 1),
        torch.arange(T, device=q.device).view(1, 1, 1, -1),
    )
    scores = score_mod(q @ k.mT * D**-0.5, b, h, i, j)
    return scores.masked_fill(~mask_mod(b, h, i, j), float("-inf")).softmax(-1) @ v


class FlexBlock(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.norm = nn.RMSNorm(d)
        self.qkv, self.o = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)
        self.mlp = nn.Sequential(
            nn.RMSNorm(d), nn.Linear(d, 3 * d), nn.ReLU6(), nn.Linear(3 * d, d)
        )
        self.register_buffer("slopes", 2.0 ** -torch.arange(1, h + 1).float(), persistent=False)

    def forward(self, x, block_mask):
        q, k, v = self.qkv(self.norm(x)).unflatten(-1, (3, self.h, -1)).permute(2, 0, 3, 1, 4)
        score_mod = partial(softcapped, cap=20.0, slopes=self.slopes)
        if q.is_cuda:
            y = flex_attention(q, k, v, score_mod=score_mod, block_mask=block_mask)
        else:
            y = reference_attention(q, k, v, score_mod=score_mod, mask_mod=block_mask.mask_mod)
        x = x + self.o(y.transpose(1, 2).flatten(2))
        return x + self.mlp(x)


class FlexModel(nn.Module):
    def __init__(self, vocab, d=64, h=4, depth=2):
        super().__init__()
        self.vocab = vocab
        self.embed = nn.Embedding(vocab, d)
        self.blocks = nn.ModuleList(FlexBlock(d, h) for _ in range(depth))
        self.head = nn.Linear(d, vocab)

    def forward(self, ids):
        x = self.embed(ids)
        B, T = ids.shape
        within = document(ids, self.vocab - 1)
        first = create_block_mask(and_masks(causal, within), B, None, T, T, device=str(ids.device))
        masks = (first, window_mask(T, str(ids.device)))
        for block, mask in zip(self.blocks, masks):
            x = block(x, mask)
        return self.head(x)


def build_model(ctx):
    return FlexModel(ctx.vocab_size)
