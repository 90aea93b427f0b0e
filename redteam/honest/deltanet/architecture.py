"""DeltaNet: a package of parts, put together here."""

import torch.nn as nn

import model.mlp as mlp_module
from model import MLP, DeltaRule

assert MLP is mlp_module.SwiGLU


class DeltaNet(nn.Module):
    def __init__(self, vocab, d=64, depth=2):
        super().__init__()
        self.wte = nn.Embedding(vocab, d)
        self.mixers = nn.ModuleList([DeltaRule(d) for _ in range(depth)])
        self.mlps = nn.ModuleList([MLP(d) for _ in range(depth)])
        self.norm = nn.RMSNorm(d, elementwise_affine=False)
        self.head = nn.Linear(d, vocab)

    def forward(self, ids):
        x = self.wte(ids)
        for mixer, mlp in zip(self.mixers, self.mlps):
            x = x + mixer(self.norm(x))
            x = x + mlp(self.norm(x))
        return self.head(self.norm(x))


def build_model(ctx):
    return DeltaNet(ctx.vocab_size)
