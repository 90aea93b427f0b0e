"""Reversible residual blocks: activations are recomputed from the outputs by a custom autograd.Function."""

import torch
from torch import nn
from torch.nn import functional as F


class ReversibleFunction(torch.autograd.Function):
    """y1 = x1 + f(x2), y2 = x2 + g(y1); inputs are rebuilt in the backward pass."""

    @staticmethod
    def forward(ctx, x, blocks):
        with torch.no_grad():
            for block in blocks:
                x = block(x)
        ctx.y, ctx.blocks = x.detach(), blocks
        return x.clone()

    @staticmethod
    def backward(ctx, dy):
        y, blocks = ctx.y, ctx.blocks
        del ctx.y
        for block in reversed(list(blocks)):
            y, dy = block.backward_pass(y, dy)
        return dy, None


class ReversibleBlock(nn.Module):
    def __init__(self, f, g):
        super().__init__()
        self.f, self.g = f, g

    def forward(self, x):
        x1, x2 = x.chunk(2, dim=-1)
        y1 = x1 + self.f(x2)
        return torch.cat([y1, x2 + self.g(y1)], dim=-1)

    def backward_pass(self, y, dy):
        (y1, y2), (dy1, dy2) = y.chunk(2, dim=-1), dy.chunk(2, dim=-1)
        with torch.enable_grad():
            y1 = y1.detach().requires_grad_()
            gy1 = self.g(y1)
            torch.autograd.backward(gy1, dy2)
        with torch.no_grad():
            x2 = y2 - gy1
            dx1 = dy1 + y1.grad
        with torch.enable_grad():
            x2 = x2.detach().requires_grad_()
            fx2 = self.f(x2)
            torch.autograd.backward(fx2, dx1)
        with torch.no_grad():
            return torch.cat([y1.detach() - fx2, x2.detach()], -1), torch.cat(
                [dx1, dy2 + x2.grad], -1
            )


class CausalMean(nn.Module):
    """Gated exponential averages over the past, as a masked product."""

    def __init__(self, d):
        super().__init__()
        self.norm, self.inp, self.out = nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.Linear(d, d)
        self.decay = nn.Parameter(torch.linspace(-3, 3, d))

    def forward(self, x):
        v, g = self.inp(self.norm(x)).chunk(2, dim=-1)
        n = torch.arange(x.shape[1], device=x.device)
        distance = (n[:, None] - n[None, :]).clamp(min=0)
        kernel = torch.exp(F.logsigmoid(self.decay)[:, None, None] * distance).tril()
        return self.out(torch.einsum("dts,bsd->btd", kernel, v) * torch.sigmoid(g))


def feed_forward(d):
    return nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))


class RevNet(nn.Module):
    def __init__(self, vocab, d=48, n=2):
        super().__init__()
        self.emb, self.head = nn.Embedding(vocab, d), nn.Linear(2 * d, vocab)
        self.blocks = nn.ModuleList(
            ReversibleBlock(CausalMean(d), feed_forward(d)) for _ in range(n)
        )

    def forward(self, ids):
        x = self.emb(ids)
        x = torch.cat([x, x], dim=-1)
        return self.head(ReversibleFunction.apply(x, self.blocks))


def build_model(ctx):
    return RevNet(ctx.vocab_size)
