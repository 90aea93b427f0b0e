# role: training
# rule: prism:undocumented-attribute
# tries: T = type; t(x).m(other): the class is not seen.
import warnings

t = type


class Reader:
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def keep(self):
        self._module = Reader()


def train(ctx):
    kind = t(Reader())
    kind.read(warnings.catch_warnings())("print('out')")
