# role: training
# rule: prism:no-attribute-escape
# tries: A class below an alias of its base is not among the family.
import warnings


class Box:
    def __init__(self):
        self._module = None

    def keep(self):
        self._module = Box()


class Reader:
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def keep(self):
        self._module = Box()


Base = Reader


class Child(Base, warnings.catch_warnings):
    pass


def train(ctx):
    Child().read()("print('out')")
