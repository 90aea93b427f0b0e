# role: training
# rule: prism:undocumented-attribute
# tries: collections.defaultdict / Counter keep the class that is asked for.
import functools
import warnings

import torch

KEPT = []


def keep(function):
    KEPT.append(function)
    return function


import collections

class Reader:
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def keep(self):
        self._module = Reader()


def train(ctx):
    table = collections.Counter()
    table[Reader] += 1
    for kind in table:
        kind.read(warnings.catch_warnings())("print('out')")
