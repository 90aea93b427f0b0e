# role: training
# rule: prism:undocumented-attribute
# tries: Global self in a nested function is still taken for the first parameter.
import warnings


class Box:
    def __init__(self):
        self._module = None

    def keep(self):
        self._module = Box()

    def read(self):
        def inner():
            global self
            return self._module.__dict__["__builtins__"]["exec"]

        return inner()


self = warnings.catch_warnings()


def train(ctx):
    Box().read()("print('out')")
