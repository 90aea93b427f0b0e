# role: architecture
# rule: prism:no-attribute-escape
# tries: A class below the plain one is an exception, and `__exit__` is told its kind.

import warnings

import torch


class Names:
    def names(self):
        return self.__dict__


class Stop(Names, Exception):
    pass


class Caught:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.kind = kind
        return True


def run():
    caught = Caught()
    with caught:
        raise Stop("now")
    names = caught.kind.names
    d = names(warnings.catch_warnings())
    d = names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
