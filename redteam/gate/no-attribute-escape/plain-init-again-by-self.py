# role: architecture
# rule: prism:no-attribute-escape
# tries: `parser.__init__(self, ...)` with `self` as an argument makes a parser that reads files.

import argparse

import torch


class Text(str):
    def arm(self, parser):
        parser.__init__(self, None, None, None, [], argparse.ArgumentDefaultsHelpFormatter, "-", "@")


def run():
    parser = argparse.ArgumentParser()
    Text("prog").arm(parser)
    parser.add_argument("words", nargs="*")
    return parser.parse_args(["@/etc/hostname"]).words


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


