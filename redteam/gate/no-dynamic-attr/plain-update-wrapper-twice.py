# role: architecture
# rule: prism:no-dynamic-attr
# tries: `update_wrapper` copies to a function and from there to an object of its own.

import functools
import warnings

import torch


class Config:
    pass


def middle():
    pass


def run():
    own = Config()
    functools.update_wrapper(middle, warnings.catch_warnings())
    functools.update_wrapper(own, middle)
    d = own.__dict__
    functools.update_wrapper(middle, d["_module"])
    functools.update_wrapper(own, middle)
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
