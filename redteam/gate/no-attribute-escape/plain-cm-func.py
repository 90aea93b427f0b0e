# role: architecture
# rule: prism:no-attribute-escape
# tries: `@contextmanager` keeps the raw method as `func` of what a call returns.

import contextlib
import warnings

import torch


class Config:
    @contextlib.contextmanager
    def fields(self):
        yield self.__dict__


def run():
    function = Config().fields().func
    d = next(function(warnings.catch_warnings()))
    d = next(function(d["_module"]))
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


