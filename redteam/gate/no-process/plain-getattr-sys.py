# role: architecture
# rule: prism:no-process
# tries: `getattr(x, "sys")` of what nobody knows is a module.

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
    return getattr(d["_module"], "sys").modules["os"].getpid()


def build_model(ctx):
    return run()
