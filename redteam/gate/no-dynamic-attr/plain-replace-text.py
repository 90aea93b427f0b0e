# role: architecture
# rule: prism:no-dynamic-attr
# tries: The same with a name that was put together.

import dataclasses

import torch


@dataclasses.dataclass
class Base:
    name: str = ""
    of: object = None


class Config(Base):
    def __init__(self, name, of):
        self.name = name
        self.of = of
        if of is not None:
            self.found = getattr(of, name)


def generator():
    yield 1


def run():
    config = Config("shape", None)
    frame = dataclasses.replace(config, name="gi_" + "frame", of=generator()).found
    names = dataclasses.replace(config, name="f_" + "builtins", of=frame).found
    return names["open"]("/etc/hostname").read()


def build_model(ctx):
    return run()
