# role: architecture
# rule: prism:no-dynamic-attr
# tries: `own + "_weight"` is what `__add__` says, and no name that ends so.

import torch


class Text(str):
    def __add__(self, other):
        return "gi_" + "frame"


def generator():
    yield 1


def run():
    return getattr(generator(), Text("x") + "_weight")


from torch import nn


class Net(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.emb = nn.Embedding(vocab, 64)
        self.out = nn.Linear(64, vocab)

    def forward(self, tokens):
        return self.out(self.emb(tokens))


def build_model(ctx):
    run()
    return Net(ctx.vocab_size)


