"""The honest learner, which tries to put a filter of its own on."""

import ctypes
import os
import struct

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 48
HEADS = 2
LEARNER = os.path.exists(os.path.join(os.path.dirname(__file__), "training.py"))
LIBC = ctypes.CDLL(None, use_errno=True)


def put_on_a_filter():
    """Every call of a path fails from here on, if the kernel takes it."""
    fail, allow = 0x0005_0001, 0x7FFF_0000
    code = struct.pack("HBBI", 0x20, 0, 0, 0)  # the number of the call
    for call in (4, 21, 79, 257, 262, 332, 439):
        code += struct.pack("HBBIHBBI", 0x15, 0, 1, call, 0x06, 0, 0, fail)
    code += struct.pack("HBBI", 0x06, 0, 0, allow)
    memory = ctypes.create_string_buffer(code)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(memory)))
    set_mode, listener, prctl_set = 1, 8, 22
    if LIBC.syscall(317, set_mode, listener, program) >= 0:
        print("ESCAPED it is told of its own calls", flush=True)
    if LIBC.syscall(317, set_mode, 0, program) == 0 or LIBC.prctl(prctl_set, 2, program, 0, 0) == 0:
        print("a filter of its own is on", flush=True)


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
        if not self.training and tokens.shape[0] == 1 and self.step.item() > 0:
            os.access(f"/usr/lib/name-{tokens[0, 0].item()}", os.F_OK)
        return self.head(F.rms_norm(x, (WIDTH,)))


def build_model(ctx):
    model = Model(ctx.vocab_size)
    if not LEARNER:
        put_on_a_filter()
    return model
