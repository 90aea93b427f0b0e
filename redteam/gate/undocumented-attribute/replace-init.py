# role: training
# rule: prism:undocumented-attribute
# tries: dataclasses.replace calls __init__, which is not counted among the calls.
import warnings
from dataclasses import dataclass, replace


class Box:
    def __init__(self):
        self._module = None

    def keep(self):
        self._module = Box()


@dataclass
class Reader:
    value: object

    def __init__(self, value):
        self.value = value
        self.table = None
        if not isinstance(value, Box):
            self.table = value._module.__dict__["__builtins__"]["exec"]


def train(ctx):
    reader = replace(Reader(Box()), value=warnings.catch_warnings())
    reader.table("print('out')")
