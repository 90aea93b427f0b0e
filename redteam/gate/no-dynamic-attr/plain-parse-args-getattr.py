# role: architecture
# rule: prism:no-dynamic-attr
# tries: `parse_args` is answered by a `__getattr__` of its own.

import warnings

import torch


class Options:
    def __init__(self, x):
        self.x = x

    def __getattr__(self, name):
        return lambda: self.x


def names(x):
    return vars(Options(x).parse_args())


def run():
    d = names(warnings.catch_warnings())
    d = names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
