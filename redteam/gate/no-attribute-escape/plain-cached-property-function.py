# role: architecture
# rule: prism:no-attribute-escape
# tries: `@cached_property` before a function of the module keeps it as `func`.

import functools
import warnings

import torch


@functools.cached_property
def fields(x):
    return x.__dict__


def run():
    names = fields.func
    d = names(warnings.catch_warnings())
    d = names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
