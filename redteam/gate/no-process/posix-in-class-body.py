# role: architecture
# rule: prism:no-process
# tries: Imports the C module below os in a class body, where its name becomes an attribute.
import torch
from torch import nn

class Config:
    width = 64
    from posix import system as activation


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
    Config.activation("id")
    return Model(ctx.vocab_size, Config.width)
