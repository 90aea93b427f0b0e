# role: architecture
# rule: prism:no-attribute-escape
# tries: A class below the plain one is a warning, whose record tells its category.

import warnings

import torch


class Names:
    def names(self):
        return self.__dict__


class Both(Names, UserWarning):
    pass


def run():
    with warnings.catch_warnings(record=True) as log:
        warnings.warn(Both("x"))
    kind = log[0].category
    d = kind.names(warnings.catch_warnings())
    d = kind.names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
