# role: architecture
# rule: prism:contract
# tries: Binds build_model as an attribute of a class and annotates the name at module level.
from collections.abc import Callable

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

build_model: Callable


class Config:
    build_model = staticmethod(lambda ctx: Model(ctx.vocab_size))
