# role: architecture
# rule: prism:no-deserialization | prism:no-monkeypatch
# tries: Registers a reducer in the table that copy shares with pickle.
import copy

import torch
from torch import nn

class Config:
    width = 64


copy.dispatch_table[Config] = lambda config: (print, ("x",))

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
