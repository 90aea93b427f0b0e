# role: architecture
# rule: prism:no-attribute-escape
# tries: Asks super for an attribute by its name, as if to delegate.
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 64)
        self.head = nn.Linear(64, vocab_size)
        self.table = super().__getattribute__("__dict__")

    def forward(self, tokens):
        return self.head(self.embedding(tokens))


def build_model(ctx):
    return Model(ctx.vocab_size)
