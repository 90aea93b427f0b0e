# role: architecture
# rule: prism:no-dynamic-attr
# tries: `update_wrapper` copies from a function of a library to one of its own, and on to an object.

import functools

import torch
import torch.nn.functional as F


class Config:
    pass


def middle():
    pass


def run():
    own = Config()
    functools.update_wrapper(middle, F.softmax)
    functools.update_wrapper(own, middle)
    return own.__dict__["__" + "doc" + "__"]


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


