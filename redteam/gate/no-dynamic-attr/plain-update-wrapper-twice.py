# role: architecture
# rule: prism:no-dynamic-attr
# tries: `update_wrapper` copies to a function and from there to an object of its own.

import functools
import warnings

import torch


class Config:
    pass


def middle():
    pass


def run():
    own = Config()
    functools.update_wrapper(middle, warnings.catch_warnings())
    functools.update_wrapper(own, middle)
    d = own.__dict__
    functools.update_wrapper(middle, d["_module"])
    functools.update_wrapper(own, middle)
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


