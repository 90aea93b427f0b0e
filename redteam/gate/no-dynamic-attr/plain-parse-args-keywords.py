# role: architecture
# rule: prism:no-dynamic-attr
# tries: `parse_args` is a keyword of a `SimpleNamespace`, and gives anything.

import types
import warnings

import torch


def names(x):
    return vars(types.SimpleNamespace(**{"parse_" + "args": lambda: x}).parse_args())


def run():
    d = names(warnings.catch_warnings())
    d = names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
