# role: architecture
# rule: prism:no-deserialization
# tries: Binds __reduce__ in a class body by a loop variable.
import copy

import torch
from torch import nn

class Config:
    for __reduce__ in (lambda self: (print, ("x",)),):
        pass


class Model(nn.Module):
    def __init__(self, vocab_size, width=64):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.mixer = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocab_size, bias=False)

    def forward(self, tokens):
        x, _ = self.mixer(self.embedding(tokens))
        return self.head(x)


def build_model(ctx):
    copy.copy(Config())
    return Model(ctx.vocab_size)
