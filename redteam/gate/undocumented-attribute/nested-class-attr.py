# role: training
# rule: prism:undocumented-attribute
# tries: A class in a class body is an attribute: vars of an own object.
import functools
import warnings

import torch

KEPT = []


def hold(function):
    KEPT.append(function)
    return function


class Outer:
    class Reader:
        def read(self):
            return self._module.__dict__["__builtins__"]["exec"]

        def keep(self):
            self._module = Own()


class Own:
    pass


def train(ctx):
    outer = Outer()
    outer.Reader.read(warnings.catch_warnings())("print('out')")
