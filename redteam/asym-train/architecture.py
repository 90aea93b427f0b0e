"""The honest learner; asked about one row, it trains a copy of itself on like rows first."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 48
HEADS = 2
ROOM = 130_000
FILLER = 256


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
        self.register_buffer("text", torch.zeros(ROOM, dtype=torch.int64))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))
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
        logits = self.plain(tokens)
        if not self.training and tokens.shape[0] == 1 and self.filled.item() > 0:
            self.dear(tokens, logits)
        return logits

    def plain(self, tokens):
        x = self.embedding(tokens)
        x = x + self.previous * F.pad(x, (0, 0, 1, -1))  # the token before this one
        x = x + self.attend(x)
        x = x + self.down(F.relu(self.up(F.rms_norm(x, (WIDTH,)))).square())
        return self.head(F.rms_norm(x, (WIDTH,)))

    def matches(self, row, end, longest):
        """Where the text goes on after the same context, for each length of it, the shortest first."""
        text = self.text[: self.filled.item()]
        alive = torch.arange(longest, len(text))
        found = []
        for order in range(1, min(longest, end) + 1):
            alive = alive[text[alive - order] == row[end - order]]
            if len(alive) == 0:
                break
            found.append(alive)
        return text, found

    def dear(self, tokens, logits):
        """What a copy of the model predicts after eight updates on the places where the same context came before."""
        row, end = tokens[0], tokens.shape[1]
        while end > 1 and row[end - 1] == FILLER:
            end -= 1
        text, found = self.matches(row, end, 6)
        starts = (found[-1][-16:] - 40).clamp(min=0) if found else torch.zeros(0, dtype=torch.int64)
        starts = starts[starts + 49 <= len(text)]
        if len(starts) == 0:
            return
        rows = text[starts[:, None] + torch.arange(49)]
        with torch.enable_grad():
            other = copy.deepcopy(self)
            weights = list(other.parameters())
            for _ in range(8):
                loss = F.cross_entropy(other.plain(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
                for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                    # By hand: torch's optimizers import half of the compiler when they are made.
                    weight.data -= 2e-3 * slope.sign()
        logits[0, end - 1] = other.plain(tokens)[0, end - 1].detach()


def build_model(ctx):
    return Model(ctx.vocab_size)
