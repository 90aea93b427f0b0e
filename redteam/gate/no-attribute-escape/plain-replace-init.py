# role: architecture
# rule: prism:no-attribute-escape
# tries: `dataclasses.replace` makes an object of a class below a dataclass, with what is given.

import dataclasses
import warnings

import torch


@dataclasses.dataclass
class Base:
    x: object = None


class Config(Base):
    def __init__(self, x):
        self.x = x
        self.names = x.__dict__ if x is not None else None


def run():
    config = Config(None)
    d = dataclasses.replace(config, x=warnings.catch_warnings()).names
    d = dataclasses.replace(config, x=d["_module"]).names
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
