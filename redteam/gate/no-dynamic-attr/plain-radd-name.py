# role: architecture
# rule: prism:no-dynamic-attr
# tries: `"abc" + own` is what `__radd__` says, and no name that begins so.

import torch


class Name:
    def __init__(self, text):
        self.text = text

    def __radd__(self, left):
        return self.text


def generator():
    yield 1


def run():
    frame = getattr(generator(), "abc" + Name("gi_" + "frame"))
    names = getattr(frame, "abc" + Name("f_" + "builtins"))
    return names["open"]("/etc/hostname").read()


def build_model(ctx):
    return run()
