# role: architecture
# rule: prism:no-attribute-escape
# tries: G = kind.__getitem__ is no call: ParameterDict's __getitem__ then reads any attribute of a function.
import functools
import types

from torch import nn

space = types.SimpleNamespace(_key_to_attr=str)


@functools.wraps(space)
def victim():
    pass


def build_model(ctx):
    kind = nn.ParameterDict()["__class__"]
    read = kind.__getitem__
    return read(victim, "__globals__")["__builtins__"]["eval"]("1+1")
