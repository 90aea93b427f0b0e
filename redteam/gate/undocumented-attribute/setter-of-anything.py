# role: training
# rule: prism:undocumented-attribute
# tries: @holder.setter: any name may stand before .setter.
import functools
import warnings

import torch

KEPT = []


def hold(function):
    KEPT.append(function)
    return function


class Holder:
    def setter(self, function):
        KEPT.append(function)
        return function


holder = Holder()


class Reader:
    @holder.setter
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def keep(self):
        self._module = Reader()


def train(ctx):
    KEPT[0](warnings.catch_warnings())("print('out')")
