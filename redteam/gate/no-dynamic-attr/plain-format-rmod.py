# role: architecture
# rule: prism:no-dynamic-attr
# tries: `"%s" % x` of a class below `str` gives an object of its own to a template.

import torch


class Text(str):
    def __rmod__(self, other):
        return torch.nn.Linear


def run():
    template = "".join(["{0.", "_", "_doc_", "_}"])
    return template.format("%s" % Text("x"))


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


