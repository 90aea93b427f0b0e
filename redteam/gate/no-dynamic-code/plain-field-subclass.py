# role: architecture
# rule: prism:no-dynamic-code
# tries: A class below `dataclasses.Field` answers with another name, which becomes code.

import dataclasses

import torch

FOUND = []


class Field(dataclasses.Field):
    @property
    def name(self):
        return 'x, *, y=FOUND.append(__import__("os").getpid())'

    @name.setter
    def name(self, value):
        pass


def run():
    field = Field(1, dataclasses.MISSING, False, False, None, False, None, False)
    try:

        @dataclasses.dataclass(eq=False, repr=False)
        class Config:
            value: int = field

    except (SyntaxError, TypeError):
        pass
    return FOUND


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


