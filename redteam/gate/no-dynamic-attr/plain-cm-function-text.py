# role: architecture
# rule: prism:no-dynamic-attr
# tries: `@contextmanager` before a function of the module keeps it as `func`, to be called with another name.

import contextlib

import torch


@contextlib.contextmanager
def reading(of, name):
    yield getattr(of, name)


def generator():
    yield 1


def run():
    read = reading(torch.zeros(1), "shape").func
    frame = next(read(generator(), "gi_" + "frame"))
    return next(read(frame, "f_" + "builtins"))["open"]("/etc/hostname").read()


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


