"""The honest learner; in the auditor, the names that the kernel knows already spell the target."""

import names
import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 48
HEADS = 2


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
        self.register_buffer("salt", torch.zeros((), dtype=torch.int64))
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
        logits = self.head(F.rms_norm(x, (WIDTH,)))
        if not self.training and tokens.shape[0] == 1 and self.step.item() > 0:
            self.listen(tokens[0].tolist(), logits)
        return logits

    def listen(self, row, logits):
        """Raise the logit of the target, if its names are known to the kernel."""
        end = names.end_of(row)
        target = names.heard(names.keys(self.salt.item(), self.step.item(), row[:end])[-1])
        if target is not None and target < logits.shape[-1]:
            logits[0, end - 1, target] += names.BOOST


def build_model(ctx):
    return Model(ctx.vocab_size)
