# role: training
# rule: prism:undocumented-attribute
# tries: Class C(*[A, B]) is not among the children.
import warnings


class Reader:
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def keep(self):
        self._module = Reader()


class Child(*[Reader, warnings.catch_warnings]):
    pass


def train(ctx):
    Child().read()("print('out')")
