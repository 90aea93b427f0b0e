# role: architecture
# rule: prism:no-attribute-escape
# tries: Wraps copies __dataclass_fields__ to a function: getattr(config, field.name) reads what the bundle says.
import functools
import types
from dataclasses import dataclass, fields


@dataclass
class Honest:
    x: int = 0


class Fake:
    def __init__(self, real, name):
        self._field_type = real._field_type
        self.name = name


real = fields(Honest)[0]
space = types.SimpleNamespace(**{"__dataclass_" + "fields__": {"x": Fake(real, "__glo" + "bals__")}})


@functools.wraps(space)
def victim():
    pass


def read(config):
    for field in fields(config):
        return getattr(config, field.name)


def build_model(ctx):
    return read(victim)["__builtins__"]["eval"]("1+1")
