"""A transformer with pinned attention back-ends, channels scaled by constants; the knobs are in training.py."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.backends.cuda.enable_flash_sdp(True)
torch.backends.cuda.enable_mem_efficient_sdp(True)
torch.backends.cuda.enable_math_sdp(True)

DTYPE = {"bf16": torch.bfloat16, "fp32": torch.float32}["fp32"]


class Block(nn.Module):
    __constants__ = ["heads"]

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.weights = nn.ParameterDict(
            {
                "qkv": nn.init.orthogonal_(torch.empty(3 * d, d)),
                "out": torch.zeros(d, d),
                "up": nn.init.kaiming_normal_(torch.empty(4 * d, d), nonlinearity="relu"),
                "down": torch.zeros(d, 4 * d),
            }
        )

    def forward(self, x):
        q, k, v = F.linear(F.layer_norm(x, x.shape[-1:]), self.weights["qkv"]).chunk(3, -1)
        q, k, v = (t.unflatten(-1, (self.heads, -1)).movedim(-2, -3) for t in (q, k, v))
        x = x + F.linear(
            F.scaled_dot_product_attention(q, k, v, is_causal=True).movedim(-3, -2).flatten(-2),
            self.weights["out"],
        )
        return x + F.linear(
            F.relu(F.linear(F.layer_norm(x, x.shape[-1:]), self.weights["up"])),
            self.weights["down"],
        )


class Model(nn.Module):
    def __init__(self, vocab, d=64, heads=4, depth=2):
        super().__init__()
        self.emb = nn.Embedding(vocab, d, dtype=DTYPE)
        self.shift = nn.Parameter(torch.full((d,), 0.5))
        self.blocks = nn.ModuleList(Block(d, heads) for _ in range(depth))
        self.head = nn.Linear(d, vocab)

    @torch.compiler.disable
    def describe(self):
        return "torch %s, cuda %s" % (torch.__version__, torch.version.cuda)

    def forward(self, ids):
        x = self.emb(ids)
        x = x + self.shift * F.pad(x, (0, 0, 1, -1))
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
