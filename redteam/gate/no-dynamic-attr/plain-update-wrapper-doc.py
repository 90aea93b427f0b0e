# role: architecture
# rule: prism:no-dynamic-attr
# tries: `update_wrapper` copies from a function of a library to one of its own, and on to an object.

import functools

import torch
import torch.nn.functional as F


class Config:
    pass


def middle():
    pass


def run():
    own = Config()
    functools.update_wrapper(middle, F.softmax)
    functools.update_wrapper(own, middle)
    return own.__dict__["__" + "doc" + "__"]


def build_model(ctx):
    return run()
