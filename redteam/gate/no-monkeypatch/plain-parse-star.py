# role: architecture
# rule: prism:no-monkeypatch
# tries: `parse_args(*[[], x])` sets what it reads on `x`.

import argparse
import warnings

import torch


def run():
    parser = argparse.ArgumentParser()
    d = vars(parser.parse_args(*[[], warnings.catch_warnings()]))
    d = vars(parser.parse_args(*[[], d["_module"]]))
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


