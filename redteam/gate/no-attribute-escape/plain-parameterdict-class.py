# role: architecture
# rule: prism:no-attribute-escape
# tries: A class below the plain one is a `ParameterDict`, which is asked for its class by an index.

import warnings

import torch


class Names:
    def names(self):
        return self.__dict__


class Both(Names, torch.nn.ParameterDict):
    pass


def run():
    kind = Both()["__class__"]
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


