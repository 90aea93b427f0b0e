# role: architecture
# rule: prism:no-dynamic-attr
# tries: `parse_args` is a keyword of a `SimpleNamespace`, and gives anything.

import types
import warnings

import torch


def names(x):
    return vars(types.SimpleNamespace(**{"parse_" + "args": lambda: x}).parse_args())


def run():
    d = names(warnings.catch_warnings())
    d = names(d["_module"])
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


