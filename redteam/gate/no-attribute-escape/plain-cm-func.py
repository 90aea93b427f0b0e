# role: architecture
# rule: prism:no-attribute-escape
# tries: `@contextmanager` keeps the raw method as `func` of what a call returns.

import contextlib
import warnings

import torch


class Config:
    @contextlib.contextmanager
    def fields(self):
        yield self.__dict__


def run():
    function = Config().fields().func
    d = next(function(warnings.catch_warnings()))
    d = next(function(d["_module"]))
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
