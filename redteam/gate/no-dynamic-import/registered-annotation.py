# role: architecture
# rule: prism:no-dynamic-import | prism:no-dynamic-code
# tries: Hides the call in a string annotation, which functools.singledispatch evaluates when it registers.
from functools import singledispatch

import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, vocab_size, width=64):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, width)
        self.mixer = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocab_size, bias=False)

    def forward(self, tokens):
        x, _ = self.mixer(self.embedding(tokens))
        return self.head(x)


@singledispatch
def initialise(layer):
    return layer


@initialise.register
def _(layer: "__import__('os').getpid()"):
    return layer


def build_model(ctx):
    return initialise(Model(ctx.vocab_size))
