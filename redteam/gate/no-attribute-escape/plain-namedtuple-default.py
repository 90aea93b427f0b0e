# role: architecture
# rule: prism:no-attribute-escape
# tries: A field of a named tuple is called as a method: its default is the raw function.

import typing
import warnings

import torch


class Config(typing.NamedTuple):
    names: object

    def names(self):
        return self.__dict__


def run():
    d = Config().names(warnings.catch_warnings())
    d = Config().names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
