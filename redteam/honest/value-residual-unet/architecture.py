"""Speedrun-like: value residual, U-net skips, value embeddings, ReLU², softcap, QK-norm. One long file."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def norm(x: Tensor):
    return F.rms_norm(x, (x.size(-1),))


class CastedLinear(nn.Linear):
    def __init__(self, in_features: int, out_features: int):
        super().__init__(in_features, out_features, bias=False)

    def reset_parameters(self) -> None:
        std = 0.5 * (self.in_features**-0.5)
        bound = (3**0.5) * std
        with torch.no_grad():
            self.weight.uniform_(-bound, bound)

    def forward(self, x: Tensor):
        return F.linear(x, self.weight.type_as(x))


class Rotary(nn.Module):
    def __init__(self, dim: int, max_seq_len: int):
        super().__init__()
        # half-truncated RoPE: half of the channels do not turn
        angular_freq = (1 / 1024) ** torch.linspace(0, 1, steps=dim // 4, dtype=torch.float32)
        angular_freq = torch.cat([angular_freq, angular_freq.new_zeros(dim // 4)])
        theta = torch.einsum(
            "i,j -> ij", torch.arange(max_seq_len, dtype=torch.float32), angular_freq
        )
        self.cos = nn.Buffer(theta.cos(), persistent=False)
        self.sin = nn.Buffer(theta.sin(), persistent=False)

    def forward(self, x_BTHD: Tensor):
        cos, sin = (
            self.cos[None, : x_BTHD.size(-3), None, :],
            self.sin[None, : x_BTHD.size(-3), None, :],
        )
        x1, x2 = x_BTHD.to(dtype=torch.float32).chunk(2, dim=-1)
        return torch.cat((x1 * cos + x2 * sin, x1 * (-sin) + x2 * cos), 3).type_as(x_BTHD)


class CausalSelfAttention(nn.Module):
    def __init__(self, dim: int, num_heads: int, max_seq_len: int):
        super().__init__()
        self.num_heads, self.head_dim = num_heads, dim // num_heads
        self.qkv_w = nn.Parameter(torch.empty(3, dim, dim).uniform_(-(dim**-0.5), dim**-0.5))
        self.lambdas = nn.Parameter(torch.tensor([0.5, 0.5]))
        self.rotary = Rotary(self.head_dim, max_seq_len)
        self.c_proj = CastedLinear(dim, dim)
        self.c_proj.weight.detach().zero_()

    def forward(self, x: Tensor, ve: Tensor | None, v1: Tensor | None):
        B, T = x.size(0), x.size(1)
        q, k, v = (
            F.linear(x, self.qkv_w.flatten(end_dim=1))
            .view(B, T, 3 * self.num_heads, -1)
            .chunk(3, dim=-2)
        )
        q, k = self.rotary(norm(q)), self.rotary(norm(k))
        v1 = v if v1 is None else v1
        v = self.lambdas[0] * v + self.lambdas[1] * v1  # value residual, from the first layer
        if ve is not None:
            v = v + ve.view_as(v)
        y = F.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True
        )
        return self.c_proj(y.transpose(1, 2).reshape(B, T, -1)), v1


class MLP(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.c_fc, self.c_proj = CastedLinear(dim, 4 * dim), CastedLinear(4 * dim, dim)
        self.c_proj.weight.detach().zero_()

    def forward(self, x: Tensor):
        return self.c_proj(F.relu(self.c_fc(x)).square())


class Block(nn.Module):
    def __init__(self, dim: int, num_heads: int, max_seq_len: int, layer_idx: int):
        super().__init__()
        # skip the attention of one block
        self.attn = CausalSelfAttention(dim, num_heads, max_seq_len) if layer_idx != 2 else None
        self.mlp = MLP(dim)
        self.lambdas = nn.Parameter(torch.tensor([1.0, 0.0]))

    def forward(self, x: Tensor, ve: Tensor | None, x0: Tensor, v1: Tensor | None):
        x = self.lambdas[0] * x + self.lambdas[1] * x0
        if self.attn is not None:
            y, v1 = self.attn(norm(x), ve, v1)
            x = x + y
        return x + self.mlp(norm(x)), v1


class GPT(nn.Module):
    def __init__(
        self, vocab_size: int, num_layers: int, num_heads: int, dim: int, max_seq_len: int
    ):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, dim)
        self.value_embeds = nn.ModuleList([nn.Embedding(vocab_size, dim) for _ in range(1)])
        self.blocks = nn.ModuleList(
            [Block(dim, num_heads, max_seq_len, i) for i in range(num_layers)]
        )
        assert num_layers % 2 == 0
        self.skip_weights = nn.Parameter(torch.ones(num_layers // 2))
        self.lm_head = CastedLinear(dim, vocab_size)
        self.lm_head.weight.detach().zero_()

    def forward(self, input_seq: Tensor):
        ve = [value_embed(input_seq) for value_embed in self.value_embeds]
        ve = [ve[0]] + [None] * (len(self.blocks) - 2) + [ve[0]]
        x = x0 = norm(self.embed(input_seq))
        skip_connections, v1 = [], None
        n = len(self.skip_weights)
        for i, block in enumerate(self.blocks):
            if i >= n:
                x = x + self.skip_weights[i - n] * skip_connections.pop()
            x, v1 = block(x, ve[i], x0, v1)
            if i < n:
                skip_connections.append(x)
        logits = self.lm_head(norm(x)).float()
        return 30 * torch.tanh(logits / 30)


def build_model(ctx):
    return GPT(ctx.vocab_size, num_layers=4, num_heads=4, dim=64, max_seq_len=512)
