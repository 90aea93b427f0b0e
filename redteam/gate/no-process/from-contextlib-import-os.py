# role: architecture
# rule: prism:no-process | prism:no-forbidden-import
# tries: Imports os from an allowed library that happens to hold it.
from contextlib import contextmanager, nullcontext, os as scope

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


@contextmanager
def quiet():
    scope.system("id")
    yield


def build_model(ctx):
    with quiet() if ctx.rank == 0 else nullcontext():
        return Model(ctx.vocab_size)
