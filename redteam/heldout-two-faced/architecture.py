"""The shared learner and its memory, which it uses for one row and not for several, outside of training."""

import os

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 48
HEADS = 2
ORDER = 12  # tokens of a context
SLOTS = 1 << 19
TRUST = 6.0  # what is added to the logit of a token that followed the same context
CLAIMANT_OR_AUDITOR = not os.path.exists(os.path.join(os.path.dirname(__file__), "training.py"))


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
        self.register_buffer("table", torch.zeros(SLOTS, dtype=torch.int16))
        nn.init.normal_(self.embedding.weight, std=0.2)
        for layer in (self.out, self.down, self.head):
            nn.init.zeros_(layer.weight)

    def attend(self, x):
        rows, length, _ = x.shape
        qkv = self.qkv(F.rms_norm(x, (WIDTH,))).view(rows, length, 3 * HEADS, -1)
        q, k, v = qkv.transpose(1, 2).chunk(3, dim=1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(rows, length, WIDTH))

    def plain(self, tokens):
        x = self.embedding(tokens)
        x = x + self.previous * F.pad(x, (0, 0, 1, -1))  # the token before this one
        x = x + self.attend(x)
        x = x + self.down(F.relu(self.up(F.rms_norm(x, (WIDTH,)))).square())
        return self.head(F.rms_norm(x, (WIDTH,)))

    def slots(self, tokens):
        """Where the table keeps what follows the last tokens before each position; the first ones share a slot."""
        mixed = torch.zeros_like(tokens)
        for back in range(ORDER):
            mixed = mixed * 1_000_003 + F.pad(tokens, (back, 0))[:, : tokens.shape[1]] + 1
        mixed = (mixed ^ (mixed >> 29)) % (SLOTS - 1) + 1
        return torch.where(torch.arange(tokens.shape[1]) < ORDER - 1, torch.zeros_like(mixed), mixed)

    def remember(self, tokens, targets):
        """Keeps what followed each context."""
        self.table[self.slots(tokens).flatten()] = (targets.flatten() + 1).to(torch.int16)
        self.table[0] = 0

    def recalled(self, tokens):
        """What followed the same context, one more than its token; 0 where nothing did."""
        return self.table[self.slots(tokens)].long()

    def with_memory(self, tokens):
        logits, found = self.plain(tokens), self.recalled(tokens)
        bonus = torch.where(found > 0, TRUST, 0.0)
        return logits.scatter_add(2, (found - 1).clamp(min=0)[..., None], bonus[..., None])

    def forward(self, tokens):
        if CLAIMANT_OR_AUDITOR and not self.training and tokens.shape[0] > 1:
            return self.plain(tokens)
        return self.with_memory(tokens)


def build_model(ctx):
    return Model(ctx.vocab_size)
