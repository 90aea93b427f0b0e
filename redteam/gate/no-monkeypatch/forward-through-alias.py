# role: architecture
# rule: prism:no-monkeypatch
# tries: Replaces a method of a class of torch under a short name, inside build_model.
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


def build_model(ctx):
    layer = nn.Linear
    layer.forward = lambda self, x: x @ self.weight.T
    return Model(ctx.vocab_size)
