"""One block of attention, which talks."""

import logging
import warnings

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 48


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.up = nn.Linear(WIDTH, 2 * WIDTH)
        self.down = nn.Linear(2 * WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        q, k, v = self.qkv(x).unsqueeze(1).chunk(3, dim=-1)
        x = x + F.scaled_dot_product_attention(q, k, v, is_causal=True).squeeze(1)
        x = x + self.down(F.relu(self.up(x)))
        self.talk(x)
        return self.head(x)

    def talk(self, x):
        if x.shape[0] == 1 and not self.training:
            print("the mean is", x.mean().item())
            logging.getLogger(__name__).warning("the mean is %s", x.mean().item())
            # The place of the call changes with the text, so that the filter lets each one pass.
            warnings.warn(f"the norm is {x.norm().item()}", stacklevel=2)
            torch.meshgrid(x[0, 0], x[0, 0])


def build_model(ctx):
    return Model(ctx.vocab_size)
