"""SwiGLU."""

import torch.nn as nn
import torch.nn.functional as F


class SwiGLU(nn.Module):
    def __init__(self, d, mult=2):
        super().__init__()
        self.w12 = nn.Linear(d, 2 * mult * d, bias=False)
        self.w3 = nn.Linear(mult * d, d, bias=False)

    def forward(self, x):
        a, b = self.w12(x).chunk(2, -1)
        return self.w3(F.silu(a) * b)
