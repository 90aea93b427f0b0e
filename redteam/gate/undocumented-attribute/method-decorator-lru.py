# role: training
# rule: prism:undocumented-attribute
# tries: @functools.lru_cache(hold) before a method hands the function to hold: arguments of known decorators are not read.
import functools
import warnings

import torch

KEPT = []


def hold(function):
    KEPT.append(function)
    return function


class Reader:
    @functools.lru_cache(hold)
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def keep(self):
        self._module = Reader()


def train(ctx):
    KEPT[0](warnings.catch_warnings())("print('out')")
