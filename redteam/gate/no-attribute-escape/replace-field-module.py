# role: architecture
# rule: prism:no-attribute-escape
# tries: Dataclasses.replace of a dataclass below catch_warnings gives __init__ the module.
import warnings
from dataclasses import dataclass, replace

found = []


@dataclass(init=False)
class Guard(warnings.catch_warnings):
    _module: object = None

    def __init__(self, _module=None):
        found.append(_module)
        super().__init__()


def build_model(ctx):
    replace(Guard())
    return found[1].formatwarning("m", UserWarning, "/etc/passwd", 1)
