# role: architecture
# rule: prism:no-dynamic-attr
# tries: `str(x)` gives an object of a class below `str` to a template.

import torch


class Text(str):
    pass


class Show:
    def __init__(self, of):
        self.of = of

    def __str__(self):
        text = Text("x")
        text.of = self.of
        return text


def run():
    template = "".join(["{0.of.", "_", "_doc_", "_}"])
    return template.format(str(Show(torch.nn.Linear)))


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


