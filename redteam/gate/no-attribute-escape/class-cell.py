# role: architecture
# rule: prism:no-attribute-escape
# tries: Uses the bare name __class__, which the compiler gives to methods.
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 64)
        self.head = nn.Linear(64, vocab_size)
        self.roots = __class__.__base__.__subclasses__

    def forward(self, tokens):
        return self.head(self.embedding(tokens))


def build_model(ctx):
    return Model(ctx.vocab_size)
