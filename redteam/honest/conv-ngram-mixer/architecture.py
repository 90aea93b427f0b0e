"""Dilated causal convolutions (WaveNet-like) with weight normalisation; BatchNorm-free."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


class CausalConv1d(nn.Module):
    def __init__(self, c_in, c_out, k, dilation=1):
        super().__init__()
        self.left = (k - 1) * dilation
        self.conv = weight_norm(nn.Conv1d(c_in, c_out, k, dilation=dilation))

    def forward(self, x):
        return self.conv(F.pad(x, (self.left, 0)))


class ResidualBlock(nn.Module):
    def __init__(self, c, k, dilation):
        super().__init__()
        self.filter_gate = CausalConv1d(c, 2 * c, k, dilation)
        self.out = nn.Conv1d(c, 2 * c, 1)

    def forward(self, x):
        f, g = self.filter_gate(x).chunk(2, dim=1)
        res, skip = self.out(torch.tanh(f) * torch.sigmoid(g)).chunk(2, dim=1)
        return (x + res) * 0.5**0.5, skip


class WaveNet(nn.Module):
    def __init__(self, vocab, c=48, k=2, dilations=(1, 2, 4, 8, 16)):
        super().__init__()
        self.emb = nn.Embedding(vocab, c)
        self.blocks = nn.ModuleList([ResidualBlock(c, k, d) for d in dilations])
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(c, c, 1), nn.ReLU(), nn.Conv1d(c, vocab, 1))
        self.receptive_field = 1 + (k - 1) * sum(dilations)

    def forward(self, ids):
        x = self.emb(ids).transpose(1, 2)
        total = 0
        for block in self.blocks:
            x, skip = block(x)
            total = total + skip
        return self.head(total).transpose(1, 2)


def build_model(ctx):
    return WaveNet(ctx.vocab_size)
