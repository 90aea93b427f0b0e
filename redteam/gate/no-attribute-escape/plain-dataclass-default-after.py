# role: architecture
# rule: prism:no-attribute-escape
# tries: The same, with the field after the method.

import dataclasses
import warnings

import torch


@dataclasses.dataclass
class Config:
    def names(self):
        return self.__dict__

    names: object


def run():
    d = Config().names(warnings.catch_warnings())
    d = Config().names(d["_module"])
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


