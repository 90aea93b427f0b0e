# role: architecture
# rule: prism:no-attribute-escape
# tries: A dataclass below catch_warnings names _module as a field: getattr(guard, field.name) is the module.
import warnings
from dataclasses import dataclass, fields


@dataclass(init=False)
class Guard(warnings.catch_warnings):
    _module: object


def read(config):
    for field in fields(config):
        return getattr(config, field.name)


def build_model(ctx):
    module = read(Guard())
    return module.formatwarning("m", UserWarning, "/etc/passwd", 1)
