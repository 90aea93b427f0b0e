# role: architecture
# rule: prism:no-dynamic-attr
# tries: The object is bound again between `fields(config)` and `getattr(config, field.name)`.

import dataclasses

import torch


@dataclasses.dataclass
class Config:
    gi_frame: int = 0
    f_globals: int = 0


def generator():
    yield 1


def run():
    config = Config()
    value = generator()
    for field in dataclasses.fields(config):
        config = value
        value = getattr(config, field.name)
    return value["_" + "_builtins_" + "_"]["open"]("/etc/hostname").read()


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


