# role: architecture
# rule: prism:no-dynamic-attr
# tries: The object is bound again between `fields(config)` and `getattr(config, field.name)`.

import dataclasses

import torch


@dataclasses.dataclass
class Config:
    gi_frame: int = 0
    f_globals: int = 0


def generator():
    yield 1


def run():
    config = Config()
    value = generator()
    for field in dataclasses.fields(config):
        config = value
        value = getattr(config, field.name)
    return value["_" + "_builtins_" + "_"]["open"]("/etc/hostname").read()


def build_model(ctx):
    return run()
