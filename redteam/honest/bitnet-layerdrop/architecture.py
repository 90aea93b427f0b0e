"""BitNet b1.58-like ternary weights with a straight-through estimator, and stochastic depth."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def activation_quant(x):
    """Per-token quantization to 8 bits."""
    scale = 127.0 / x.abs().max(dim=-1, keepdim=True).values.clamp_(min=1e-5)
    return (x * scale).round().clamp_(-128, 127) / scale


def weight_quant(w):
    """Per-tensor quantization to {-1, 0, 1}."""
    scale = 1.0 / w.abs().mean().clamp_(min=1e-5)
    return (w * scale).round().clamp_(-1, 1) / scale


class BitLinear(nn.Linear):
    def forward(self, x):
        x_norm = F.rms_norm(x, (x.shape[-1],))
        x_quant = x_norm + (activation_quant(x_norm) - x_norm).detach()
        w_quant = self.weight + (weight_quant(self.weight) - self.weight).detach()
        return F.linear(x_quant, w_quant, self.bias)


class DropPath(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        if not self.training or self.p == 0.0:
            return x
        keep = torch.rand(x.shape[0], 1, 1, device=x.device) >= self.p
        return x * keep / (1 - self.p)

    def extra_repr(self):
        return f"p={self.p}"


class Layer(nn.Module):
    def __init__(self, d, h, p):
        super().__init__()
        self.h, self.drop = h, DropPath(p)
        self.qkv, self.o = BitLinear(d, 3 * d, bias=False), BitLinear(d, d, bias=False)
        self.up, self.down = BitLinear(d, 3 * d, bias=False), BitLinear(3 * d, d, bias=False)

    def attend(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).reshape(b, t, 3, self.h, -1).permute(2, 0, 3, 1, 4).contiguous()
        return self.o(
            F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, d)
        )

    def forward(self, x):
        x = x + self.drop(self.attend(x))
        return x + self.drop(self.down(F.relu(self.up(x)) ** 2))


class BitNet(nn.Module):
    def __init__(self, vocab, d=64, h=4, n=3):
        super().__init__()
        self.emb, self.pos = nn.Embedding(vocab, d), nn.Embedding(512, d)
        self.layers = nn.ModuleList(Layer(d, h, 0.1 * i / n) for i in range(n))
        self.out = nn.Linear(d, vocab, bias=False)

    def forward(self, ids):
        x = self.emb(ids) + self.pos(torch.arange(ids.shape[-1], device=ids.device))
        for layer in self.layers:
            x = layer(x)
        return self.out(F.rms_norm(x, x.shape[-1:]))


def build_model(ctx):
    return BitNet(ctx.vocab_size)
