# role: training
# rule: prism:undocumented-attribute
# tries: A decorator that is a call of what nobody knows counts as no_grad (all of nothing).
import functools
import warnings

import torch

KEPT = []


def keep(function):
    KEPT.append(function)
    return function


class Box:
    def __init__(self):
        self._module = None

    def keep(self):
        self._module = Box()


@(lambda: keep)()
def worker(value):
    return value._module.__dict__["__builtins__"]["exec"]


def train(ctx):
    KEPT[0](warnings.catch_warnings())("print('out')")
