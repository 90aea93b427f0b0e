# role: architecture
# rule: prism:no-harness-access
# tries: Takes the context out of a list and reads what is private in it, under a name that its own class has as well.
from torch import nn


class Box:
    def __init__(self):
        self._session = None


def build_model(ctx):
    print([ctx][0]._session)
    return nn.Embedding(ctx.vocab_size, ctx.vocab_size)
