# role: training
# rule: prism:no-dynamic-attr
# tries: getattr(self, name) may give the class of self.
import functools
import warnings

import torch

KEPT = []


def keep(function):
    KEPT.append(function)
    return function


class Reader:
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def get(self, name):
        return getattr(self, name)

    def keep(self):
        self._module = Reader()


def train(ctx):
    kind = Reader().get("".join(["__cla", "ss__"]))
    kind.read(warnings.catch_warnings())("print('out')")
