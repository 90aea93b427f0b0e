# role: training
# rule: prism:undocumented-attribute
# tries: copy.copy sets what __getstate__ says: not counted as a store.
import copy
import warnings


class Box:
    def __init__(self):
        self._module = None

    def keep(self):
        self._module = Box()


class Reader:
    def keep(self):
        self.thing = Box()

    def __getstate__(self):
        return {"thing": warnings.catch_warnings()}

    def read(self):
        return self.thing._module.__dict__["__builtins__"]["exec"]


def train(ctx):
    copy.copy(Reader()).read()("print('out')")
