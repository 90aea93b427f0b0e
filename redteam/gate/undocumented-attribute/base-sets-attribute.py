# role: training
# rule: prism:undocumented-attribute
# tries: A builtin base stores what it is made with: StopIteration.value.
import functools
import warnings

import torch

KEPT = []


def hold(function):
    KEPT.append(function)
    return function


class Box:
    def __init__(self):
        self._module = None

    def keep(self):
        self._module = Box()


class Reader(StopIteration):
    def keep(self):
        self.value = Box()

    def read(self):
        return self.value._module.__dict__["__builtins__"]["exec"]


def train(ctx):
    Reader(warnings.catch_warnings()).read()("print('out')")
