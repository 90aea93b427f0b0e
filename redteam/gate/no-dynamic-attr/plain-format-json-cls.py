# role: architecture
# rule: prism:no-dynamic-attr
# tries: `json.dumps(x, cls=Own)` gives an object of its own to a template.

import json

import torch


class Encoder:
    def __init__(self, **options):
        pass

    def encode(self, value):
        return value


def run():
    template = "".join(["{0.", "_", "_doc_", "_}"])
    return template.format(json.dumps(torch.nn.Linear, cls=Encoder))


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


