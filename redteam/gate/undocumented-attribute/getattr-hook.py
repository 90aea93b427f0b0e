# role: training
# rule: prism:undocumented-attribute
# tries: An own __getattr__ answers for an attribute that is only stored in dead code.
import warnings


class Box:
    def __init__(self):
        self._module = None

    def keep(self):
        self._module = Box()


class Reader:
    def keep(self):
        self.thing = Box()

    def __getattr__(self, name):
        return warnings.catch_warnings()

    def read(self):
        return self.thing._module.__dict__["__builtins__"]["exec"]


def train(ctx):
    Reader().read()("print('out')")
