# role: architecture
# rule: prism:no-attribute-escape
# tries: Takes the wrapped object out of the closure of ctx.build_model.
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
    for cell in ctx.build_model.__closure__ or ():
        print(cell.cell_contents)
    return Model(ctx.vocab_size)
