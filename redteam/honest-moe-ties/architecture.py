"""Four experts, two of which see each token; the gates begin at zero, so that all are equal."""

import torch
from torch import nn

WIDTH = 48
EXPERTS = 4


class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, WIDTH)
        self.gate = nn.Linear(WIDTH, EXPERTS, bias=False)
        self.experts = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(EXPERTS))
        nn.init.zeros_(self.gate.weight)
        self.head = nn.Linear(WIDTH, vocab_size)

    def forward(self, tokens):
        x = self.embedding(tokens)
        # Rounded, so that there are ties later on as well.
        gates = (4 * self.gate(x)).round() / 4 + 0 * self.gate(x)
        weights, chosen = gates.topk(2, dim=-1)
        weights = weights.softmax(-1) + (self.gate(x).gather(-1, chosen) - self.gate(x).gather(-1, chosen).detach())
        mixed = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            weight = (weights * (chosen == number)).sum(-1, keepdim=True)
            mixed = mixed + weight * torch.tanh(expert(x))
        x = x + mixed
        return self.head(x)


def build_model(ctx):
    return Model(ctx.vocab_size)
