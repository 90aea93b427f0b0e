# role: architecture
# rule: prism:no-deserialization
# tries: Gives a class __setstate__ by assignment rather than by def, for copy.deepcopy to call.
import copy

import torch
from torch import nn

class Config:
    width = 64


def restore(self, state):
    print("x")


Config.__setstate__ = restore

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
    copy.deepcopy(Config())
    return Model(ctx.vocab_size)
