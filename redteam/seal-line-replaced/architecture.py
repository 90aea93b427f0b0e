"""The honest learner, which tries to put another descriptor in the place of its line."""

import fcntl
import os
import socket

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 48
HEADS = 2
LEARNER = os.path.exists(os.path.join(os.path.dirname(__file__), "training.py"))
LINE = 3


def replace_the_line():
    """Each of these would leave the line's number to something else."""
    mine, _ = socket.socketpair()
    inode = os.fstat(LINE).st_ino
    for attempt in (
        lambda: os.close(LINE),
        lambda: os.dup2(mine.fileno(), LINE),
        lambda: os.dup2(mine.fileno(), LINE, inheritable=False),
        lambda: os.closerange(LINE, LINE + 1),
        lambda: socket.socket(fileno=LINE).close(),
        lambda: fcntl.fcntl(mine.fileno(), fcntl.F_DUPFD, LINE),
    ):
        try:
            attempt()
        except OSError:
            pass
        if os.fstat(LINE).st_ino != inode:
            print("ESCAPED the line is another", flush=True)


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
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
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
        x = self.embedding(tokens)
        x = x + self.previous * F.pad(x, (0, 0, 1, -1))  # the token before this one
        x = x + self.attend(x)
        x = x + self.down(F.relu(self.up(F.rms_norm(x, (WIDTH,)))).square())
        return self.head(F.rms_norm(x, (WIDTH,)))


def build_model(ctx):
    if not LEARNER:
        replace_the_line()
    return Model(ctx.vocab_size)
