# role: training
# rule: prism:undocumented-attribute
# tries: __exit__ is given the class of what is raised; StopIteration is no Error by name.
import warnings


class Reader(StopIteration):
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def keep(self):
        self._module = Reader()


class Guard:
    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        kind.read(warnings.catch_warnings())("print('out')")
        return True


def train(ctx):
    with Guard():
        raise Reader
