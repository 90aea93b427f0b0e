# role: architecture
# rule: prism:no-dynamic-attr
# tries: `own + "_weight"` is what `__add__` says, and no name that ends so.

import torch


class Text(str):
    def __add__(self, other):
        return "gi_" + "frame"


def generator():
    yield 1


def run():
    return getattr(generator(), Text("x") + "_weight")


def build_model(ctx):
    return run()
