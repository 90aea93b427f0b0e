# role: architecture
# rule: prism:no-attribute-escape
# tries: The same, with the field after the method.

import dataclasses
import warnings

import torch


@dataclasses.dataclass
class Config:
    def names(self):
        return self.__dict__

    names: object


def run():
    d = Config().names(warnings.catch_warnings())
    d = Config().names(d["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
