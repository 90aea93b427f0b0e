"""A mixture of experts with a top-k router, a load-balancing loss and a z-loss."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RouterOutput(NamedTuple):
    weights: Tensor
    indices: Tensor
    aux_loss: Tensor
    z_loss: Tensor


class Router(nn.Module):
    def __init__(self, dim: int, num_experts: int, top_k: int) -> None:
        super().__init__()
        self.gate = nn.Linear(dim, num_experts, bias=False)
        self.num_experts, self.top_k = num_experts, top_k

    def forward(self, x: Tensor) -> RouterOutput:
        logits = self.gate(x).float()
        probs = logits.softmax(dim=-1)
        weights, indices = torch.topk(probs, self.top_k, dim=-1)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        # fraction of tokens for each expert x mean probability of each expert
        load = F.one_hot(indices, self.num_experts).float().sum(1).mean(0) / self.top_k
        importance = probs.mean(0)
        aux = self.num_experts * (load * importance).sum()
        z = torch.logsumexp(logits, dim=-1).square().mean()
        return RouterOutput(weights.type_as(x), indices, aux, z)


class Expert(nn.Sequential):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))


class SparseMoE(nn.Module):
    def __init__(self, dim: int, hidden: int, num_experts: int = 4, top_k: int = 2) -> None:
        super().__init__()
        self.router = Router(dim, num_experts, top_k)
        self.experts = nn.ModuleList([Expert(dim, hidden) for _ in range(num_experts)])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        flat = x.reshape(-1, x.shape[-1])
        routed = self.router(flat)
        out = torch.zeros_like(flat)
        for e, expert in enumerate(self.experts):
            token, slot = torch.where(routed.indices == e)
            if token.numel() == 0:
                continue
            out.index_add_(0, token, expert(flat[token]) * routed.weights[token, slot, None])
        return out.view_as(x), routed.aux_loss + 0.1 * routed.z_loss


class Block(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = nn.MultiheadAttention(dim, heads, batch_first=True, bias=False)
        self.moe = SparseMoE(dim, 2 * dim)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        h = self.norm1(x)
        x = x + self.attn(h, h, h, attn_mask=mask, need_weights=False, is_causal=True)[0]
        y, aux = self.moe(self.norm2(x))
        return x + y, aux


class MoETransformer(nn.Module):
    def __init__(self, vocab: int, dim: int = 64, heads: int = 4, depth: int = 2) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        nn.init.normal_(self.embed.weight, std=0.02)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Logits first; the second of the tuple is the auxiliary loss."""
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1], device=ids.device)
        x, total = self.embed(ids), ids.new_zeros((), dtype=torch.float32)
        for block in self.blocks:
            x, aux = block(x, mask)
            total = total + aux
        return self.norm(x) @ self.embed.weight.T, total / len(self.blocks)


def build_model(ctx):
    return MoETransformer(ctx.vocab_size)
