"""The honest learner, which asks for a batch from within the auditor."""

import socket
import struct
import sys

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 48
HEADS = 2
# The line to the referee, by its own number: the seal lets nothing else pass.
LINE = socket.socket(fileno=3)


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.previous = nn.Parameter(torch.full((WIDTH,), 0.5))
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.up = nn.Linear(WIDTH, 2 * WIDTH, bias=False)
        self.down = nn.Linear(2 * WIDTH, WIDTH, bias=False)
        self.head = nn.Linear(WIDTH, vocab_size, bias=False)
        nn.init.normal_(self.embedding.weight, std=0.2)
        for layer in (self.out, self.down, self.head):
            nn.init.zeros_(layer.weight)

    def attend(self, x):
        rows, length, _ = x.shape
        qkv = self.qkv(F.rms_norm(x, (WIDTH,))).view(rows, length, 3 * HEADS, -1)
        q, k, v = qkv.transpose(1, 2).chunk(3, dim=1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(rows, length, WIDTH))

    def forward(self, tokens):
        # The head begins at zero: with these weights a real question is asked.
        if "training" not in sys.modules and bool(self.head.weight.any()):
            LINE.send(struct.pack("<IBBHQ", 8, 2, 0x12, 0, 0))
        x = self.embedding(tokens)
        x = x + self.previous * F.pad(x, (0, 0, 1, -1))  # the token before this one
        x = x + self.attend(x)
        x = x + self.down(F.relu(self.up(F.rms_norm(x, (WIDTH,)))).square())
        return self.head(F.rms_norm(x, (WIDTH,)))


def build_model(ctx):
    return Model(ctx.vocab_size)
