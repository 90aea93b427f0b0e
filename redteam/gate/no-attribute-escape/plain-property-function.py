# role: architecture
# rule: prism:no-attribute-escape
# tries: `@property` before a function of the module keeps it as `fget`.

import warnings

import torch


@property
def fields(x):
    return x.__dict__


def run():
    names = fields.fget
    d = names(warnings.catch_warnings())
    d = names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
