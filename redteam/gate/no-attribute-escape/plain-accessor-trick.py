# role: architecture
# rule: prism:no-attribute-escape
# tries: A method behind `@x.setter` of an object of its own keeps the raw function and calls it with another object.

import warnings

import torch


class Keep:
    def __init__(self):
        self.got = []

    def setter(self, function):
        self.got.append(function)
        return function


KEEP = Keep()


def keep(function):
    return KEEP


class Config:
    @keep
    def size(self):
        return None

    @size.setter
    def size(self, value):
        return self.__dict__


def run():
    d = KEEP.got[0](warnings.catch_warnings(), 0)
    d = KEEP.got[0](d["_module"], 0)
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
