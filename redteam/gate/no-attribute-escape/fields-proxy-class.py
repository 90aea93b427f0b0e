# role: architecture
# rule: prism:no-attribute-escape
# tries: Fields of an object whose __getattr__ gives fake fields: getattr(own, field.name) is its class.
from dataclasses import dataclass, fields

import torch.nn.functional as F


@dataclass
class Honest:
    x: int = 0


class Fake:
    def __init__(self, real, name):
        self._field_type = real._field_type
        self.name = name


class Own:
    def __init__(self, names):
        self.names = names

    def __getattr__(self, name):
        return self.names

    def read(self):
        return vars(self)


def build_model(ctx):
    real = fields(Honest)[0]
    own = Own({"x": Fake(real, "__class__")})
    for field in fields(own):
        read = getattr(own, field.name).read
    return read(read(F)["torch"])["os"].getpid()
