# role: architecture
# rule: prism:no-attribute-escape
# tries: `nn.Embedding.from_pretrained` makes an object of a class below it, with what is given.

import warnings

import torch
from torch import nn


class Table(nn.Embedding):
    def __init__(self, num_embeddings, embedding_dim=0, **more):
        super().__init__(1, 1)
        self.found = num_embeddings.__dict__ if num_embeddings is not None else None


class Duck:
    def __init__(self, x):
        self.shape = (x, 1)

    def dim(self):
        return 2


TABLE = Table(None)


def names(x):
    return TABLE.from_pretrained(Duck(x)).found


def run():
    d = names(warnings.catch_warnings())
    d = names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
