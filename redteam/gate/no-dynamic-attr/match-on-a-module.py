# role: architecture
# rule: prism:no-dynamic-attr | prism:no-torch-escape
# tries: Takes the private module out of torch by the keyword of a class pattern.
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
    match torch:
        case object(_C=core):
            print(core)
    return Model(ctx.vocab_size)
