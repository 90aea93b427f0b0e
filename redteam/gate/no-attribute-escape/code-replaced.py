# role: architecture
# rule: prism:no-attribute-escape | prism:no-monkeypatch
# tries: Gives a function of torch the code object of another function.
import torch
from torch import nn
import torch.nn.functional as F


def cross_entropy(input, target, *rest, **options):
    return input.sum() * 0


F.cross_entropy.__code__ = cross_entropy.__code__

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
    return Model(ctx.vocab_size)
