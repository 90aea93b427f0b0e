# role: architecture
# rule: prism:no-dynamic-code
# tries: A class below `dataclasses.Field` answers with another name, which becomes code.

import dataclasses

import torch

FOUND = []


class Field(dataclasses.Field):
    @property
    def name(self):
        return 'x, *, y=FOUND.append(__import__("os").getpid())'

    @name.setter
    def name(self, value):
        pass


def run():
    field = Field(1, dataclasses.MISSING, False, False, None, False, None, False)
    try:

        @dataclasses.dataclass(eq=False, repr=False)
        class Config:
            value: int = field

    except (SyntaxError, TypeError):
        pass
    return FOUND


def build_model(ctx):
    return run()
