# role: architecture
# rule: prism:no-attribute-escape | prism:no-monkeypatch
# tries: Changes what a function of torch does when no argument is given.
import torch
from torch import nn
import torch.nn.functional as F

F.cross_entropy.__defaults__ = (None, None, 0, None, "sum", 0.0)

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
