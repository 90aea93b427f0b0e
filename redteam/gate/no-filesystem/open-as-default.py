# role: architecture
# rule: prism:no-filesystem
# tries: Passes open as the default of a method's parameter.
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, vocab_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 64)
        self.head = nn.Linear(64, vocab_size)
        self.restore()

    def restore(self, name="/etc/hostname", reader=open):
        self.tag = reader(name).read()

    def forward(self, tokens):
        return self.head(self.embedding(tokens))


def build_model(ctx):
    return Model(ctx.vocab_size)
