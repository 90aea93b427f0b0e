# role: architecture
# rule: prism:no-torch-escape
# tries: `type_before_parametrizations(x)` is the class of `x`, which then gives a method away.

import warnings

import torch
from torch.nn.utils import parametrize


class Config:
    def names(self):
        return self.__dict__


def run():
    kind = parametrize.type_before_parametrizations(Config())
    d = kind.names(warnings.catch_warnings())
    d = kind.names(d["_module"])
    return d["sys"].modules["os"].getpid()


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


