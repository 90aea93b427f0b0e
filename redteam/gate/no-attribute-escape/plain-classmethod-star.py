# role: architecture
# rule: prism:no-attribute-escape
# tries: A class method takes the class in `*given`, so that a method is read from it.

import warnings

import torch


class Config:
    @classmethod
    def kind(*given):
        return given[0]

    def names(self):
        return self.__dict__


def run():
    kind = Config().kind()
    d = kind.names(warnings.catch_warnings())
    d = kind.names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
