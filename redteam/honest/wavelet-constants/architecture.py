"""A causal wavelet transform by Daubechies filters, then per-scale gates: a table of constants in the code.

The eight coefficients of db4 (its low-pass filter, sum √2) are in every textbook; the à-trous scheme
dilates them by 1, 2, 4 ..., and padding on the left alone keeps the future out.
"""

import torch
import torch.nn.functional as F
from torch import nn

DB4 = (
    0.23037781330885523,
    0.7148465705525415,
    0.6308807679295904,
    -0.02798376941698385,
    -0.18703481171888114,
    0.030841381835986965,
    0.032883011666982945,
    -0.010597401784997278,
)
# Gauss-Hermite nodes and weights of order 5, for the smoothing of the gates
NODES = [-2.0201828704560856, -0.9585724646138185, 0.0, 0.9585724646138185, 2.0201828704560856]
WEIGHTS = [
    0.01995324205904591,
    0.39361932315224116,
    0.9453087204829419,
    0.39361932315224116,
    0.01995324205904591,
]
# Relative frequency of English letters a-z in per mille: a prior for the bias of the output
LETTERS = [
    82,
    15,
    28,
    43,
    127,
    22,
    20,
    61,
    70,
    2,
    8,
    40,
    24,
    67,
    75,
    19,
    1,
    60,
    63,
    91,
    28,
    10,
    24,
    2,
    20,
    1,
]


class Wavelet(nn.Module):
    def __init__(self, levels):
        super().__init__()
        self.levels = levels
        low = torch.tensor(DB4)
        high = low.flip(0) * torch.tensor([1.0, -1.0] * 4)  # quadrature mirror
        self.register_buffer(
            "filters", torch.stack([low, high])[:, None] * 0.5**0.5, persistent=False
        )

    def forward(self, x):
        """(B, T, D) to a list of details and the last approximation, each (B, T, D)."""
        B, T, D = x.shape
        approx, details = x.transpose(1, 2).reshape(B * D, 1, T), []
        for level in range(self.levels):
            step = 2**level
            both = F.conv1d(F.pad(approx, (7 * step, 0)), self.filters, dilation=step)
            approx, detail = both[:, :1], both[:, 1:]
            details.append(detail.view(B, D, T).transpose(1, 2))
        return [*details, approx.view(B, D, T).transpose(1, 2)]


def smooth_sigmoid(x):
    """E σ(x + z), z normal, by quadrature."""
    total = sum(w * torch.sigmoid(x + 2**0.5 * n) for n, w in zip(NODES, WEIGHTS))
    return total / sum(WEIGHTS)


class Block(nn.Module):
    def __init__(self, d, levels):
        super().__init__()
        self.norm, self.wave = nn.LayerNorm(d), Wavelet(levels)
        self.mix, self.gate = nn.Linear((levels + 1) * d, d), nn.Linear(d, d)

    def forward(self, x):
        h = self.norm(x)
        return x + self.mix(torch.cat(self.wave(h), dim=-1)) * smooth_sigmoid(self.gate(h))


class WaveletLM(nn.Module):
    def __init__(self, vocab, d=48, levels=4, depth=2):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.blocks = nn.Sequential(*(Block(d, levels) for _ in range(depth)))
        self.head = nn.Linear(d, vocab)
        if vocab >= 123:
            with torch.no_grad():
                self.head.bias.fill_(-2.0)
                self.head.bias[97:123] = torch.tensor(LETTERS).float().div(1000).log() + 3.0

    def forward(self, ids):
        return self.head(self.blocks(self.emb(ids)))


def build_model(ctx):
    return WaveletLM(ctx.vocab_size)
