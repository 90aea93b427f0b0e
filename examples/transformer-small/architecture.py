"""A small decoder-only transformer: RMSNorm, rotary positions, SwiGLU, tied embeddings."""

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 128
LAYERS = 2
HEADS = 4
HIDDEN = 256  # of the SwiGLU


class RMSNorm(nn.Module):
    """Divide by the root mean square over the last dimension, then scale each channel."""

    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, self.scale.shape, self.scale)


def rotary_tables(seq_len, head_width, device):
    """Cosines and sines of shape (seq_len, head_width / 2), one angle per position and pair."""
    frequency = 10_000.0 ** -torch.linspace(0, 1, head_width // 2, device=device)
    angle = torch.outer(torch.arange(seq_len, device=device, dtype=torch.float32), frequency)
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    """Turn each pair (first half, second half) of the last dimension by its position's angle."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


class Attention(nn.Module):
    """Causal self-attention with rotary positions and normalised queries and keys."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x, cos, sin):
        rows, length, _ = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        q = rotate(F.rms_norm(q, q.shape[-1:]), cos, sin)
        k = rotate(F.rms_norm(k, k.shape[-1:]), cos, sin)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(rows, length, WIDTH))


class SwiGLU(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_and_up = nn.Linear(WIDTH, 2 * HIDDEN, bias=False)
        self.down = nn.Linear(HIDDEN, WIDTH, bias=False)

    def forward(self, x):
        gate, up = self.gate_and_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm = RMSNorm(WIDTH)
        self.attention = Attention()
        self.mlp_norm = RMSNorm(WIDTH)
        self.mlp = SwiGLU()

    def forward(self, x, cos, sin):
        x = x + self.attention(self.attention_norm(x), cos, sin)
        return x + self.mlp(self.mlp_norm(x))


class Transformer(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.final_norm = RMSNorm(WIDTH)
        self.reset_parameters()

    def reset_parameters(self):
        # Small, so that the first predictions are close to uniform.
        nn.init.normal_(self.embedding.weight, std=0.02)
        for block in self.blocks:
            nn.init.normal_(block.attention.qkv.weight, std=WIDTH**-0.5)
            nn.init.normal_(block.mlp.gate_and_up.weight, std=WIDTH**-0.5)
            # Each block starts as the identity, so that depth costs nothing at first.
            nn.init.zeros_(block.attention.out.weight)
            nn.init.zeros_(block.mlp.down.weight)

    def forward(self, tokens):
        """Token ids (B, T) to logits (B, T, vocabulary); position t sees tokens 0..t only."""
        cos, sin = rotary_tables(tokens.shape[1], WIDTH // HEADS, tokens.device)
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, cos, sin)
        # The output matrix is the embedding itself (tied).
        return F.linear(self.final_norm(x), self.embedding.weight)


def build_model(ctx):
    return Transformer(ctx.vocab_size)
