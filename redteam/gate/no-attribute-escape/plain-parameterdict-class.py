# role: architecture
# rule: prism:no-attribute-escape
# tries: A class below the plain one is a `ParameterDict`, which is asked for its class by an index.

import warnings

import torch


class Names:
    def names(self):
        return self.__dict__


class Both(Names, torch.nn.ParameterDict):
    pass


def run():
    kind = Both()["__class__"]
    d = kind.names(warnings.catch_warnings())
    d = kind.names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
