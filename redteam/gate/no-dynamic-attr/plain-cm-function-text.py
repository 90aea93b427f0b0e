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


def build_model(ctx):
    return run()
