# role: architecture
# rule: prism:no-attribute-escape | prism:no-torch-escape | prism:no-dynamic-code
# tries: Imports __builtins__ from a module of torch by from-import, which needs no dot.
from torch.nn.init import __builtins__ as init

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
    print(len(init))
    return Model(ctx.vocab_size)
