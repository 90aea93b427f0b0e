"""Hooks of every kind on the bundle's own modules, and saved tensors kept on the CPU."""

import torch
from torch import nn
from torch.nn import functional as F


class Tap:
    """Collects intermediate activations of named modules."""

    def __init__(self):
        self.values, self.handles = {}, []

    def attach(self, model, wanted):
        for name, module in model.named_modules():
            if name in wanted:
                self.handles.append(module.register_forward_hook(self.make(name)))
        return self

    def make(self, name):
        def hook(module, inputs, output):
            self.values[name] = output.detach()

        return hook

    def detach(self):
        while self.handles:
            self.handles.pop().remove()


def shift_right(module, args):
    """A forward pre-hook: half of the channels come from the position before."""
    (x,) = args
    a, b = x.chunk(2, dim=-1)
    return (torch.cat([F.pad(a, (0, 0, 1, -1)), b], dim=-1),)


def scale_output(module, args, kwargs, output):
    return output * getattr(module, "gain", 1.0)


class Block(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.norm, self.qkv, self.o = nn.LayerNorm(d), nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp = nn.Sequential(
            nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.SiLU(), nn.Linear(2 * d, d)
        )
        self.qkv.register_forward_pre_hook(shift_right)
        self.o.register_forward_hook(scale_output, with_kwargs=True)
        self.o.gain = 0.5

    def forward(self, x):
        q, k, v = self.qkv(self.norm(x)).unflatten(-1, (3, self.h, -1)).permute(2, 0, 3, 1, 4)
        x = x + self.o(
            F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        )
        return x + self.mlp(x)


class Model(nn.Module):
    def __init__(self, vocab, d=64, h=4, n=2):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.blocks = nn.Sequential(*(Block(d, h) for _ in range(n)))
        self.head = nn.Linear(d, vocab)

    def forward(self, ids):
        return self.head(self.blocks(self.emb(ids)))


def build_model(ctx):
    return Model(ctx.vocab_size)
