"""A small recurrent model: gated linear recurrences with a matrix-valued state.

Each head carries a state S of shape (STATE, HEAD_WIDTH) along the row:

    S_t = a_t * S_{t-1} + k_t v_t^T        0 < a_t < 1, chosen by the input
    y_t = q_t^T S_t

Unrolled, y_t is the sum over s <= t of (a_{s+1} ... a_t) (q_t . k_s) v_s: two matrix products with
a lower triangular matrix of decays between them. That form is computed here, since it trains all
positions of a row at once.
"""

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 128
LAYERS = 2
HEADS = 4
STATE = 32  # of q and k, per head
INNER = 192  # of v and of the output gate, over all heads
KERNEL = 3  # of the short causal convolution


class ShortConvolution(nn.Module):
    """Mix each channel with its own last few values: y_t = sum_i w_i * x_{t-i}."""

    def __init__(self, channels):
        super().__init__()
        weight = torch.zeros(KERNEL, channels)
        weight[0] = 1.0  # starts as the identity
        self.weight = nn.Parameter(weight + 0.1 * torch.randn(KERNEL, channels))

    def forward(self, x):
        y = x * self.weight[0]
        for lag in range(1, min(KERNEL, x.shape[1])):
            y = y + F.pad(x[:, :-lag], (0, 0, lag, 0)) * self.weight[lag]
        return F.silu(y)


class Recurrence(nn.Module):
    def __init__(self):
        super().__init__()
        self.widths = (2 * HEADS * STATE + INNER, INNER, HEADS)
        self.norm = nn.Parameter(torch.ones(WIDTH))
        self.project = nn.Linear(WIDTH, sum(self.widths), bias=False)
        self.convolution = ShortConvolution(self.widths[0])
        # At first the heads forget over about 2, 6, 20 and 55 positions.
        self.decay_bias = nn.Parameter(torch.linspace(-0.5, -4.0, HEADS))
        self.inner_norm = nn.Parameter(torch.ones(INNER))
        self.out = nn.Linear(INNER, WIDTH, bias=False)
        nn.init.normal_(self.project.weight, std=WIDTH**-0.5)
        nn.init.zeros_(self.out.weight)  # each layer starts as the identity

    def forward(self, x):
        rows, length, _ = x.shape
        qkv, gate, decay = self.project(F.rms_norm(x, (WIDTH,), self.norm)).split(self.widths, -1)
        qk, v = self.convolution(qkv).split((2 * HEADS * STATE, INNER), dim=-1)
        q, k = qk.view(rows, length, 2 * HEADS, STATE).transpose(1, 2).chunk(2, dim=1)
        v = v.view(rows, length, HEADS, -1).transpose(1, 2)

        # log(a_{s+1} ... a_t) is a difference of running sums; above the diagonal lies the future.
        log_a = -F.softplus(decay + self.decay_bias).transpose(1, 2)
        total = log_a.cumsum(dim=-1)
        exponent = total.unsqueeze(-1) - total.unsqueeze(-2)
        future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        decays = exponent.masked_fill(future, -torch.inf).exp()

        y = (q @ k.mT * STATE**-0.5 * decays) @ v
        y = y.transpose(1, 2).reshape(rows, length, INNER) * F.silu(gate)
        return x + self.out(F.rms_norm(y, (INNER,), self.inner_norm))


class RecurrentModel(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.layers = nn.ModuleList(Recurrence() for _ in range(LAYERS))
        self.norm = nn.Parameter(torch.ones(WIDTH))
        nn.init.normal_(self.embedding.weight, std=0.02)

    def forward(self, tokens):
        """Token ids (B, T) to logits (B, T, vocabulary). The state starts at zero in every row."""
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x)
        return F.linear(F.rms_norm(x, (WIDTH,), self.norm), self.embedding.weight)


def build_model(ctx):
    return RecurrentModel(ctx.vocab_size)
