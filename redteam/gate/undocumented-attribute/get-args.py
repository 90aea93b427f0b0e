# role: training
# rule: prism:undocumented-attribute
# tries: typing.get_args(list[C]) hands out a class that only stands in an index.
import typing
import warnings


class Reader:
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def keep(self):
        self._module = Reader()


def train(ctx):
    kind = typing.get_args(list[Reader])[0]
    kind.read(warnings.catch_warnings())("print('out')")
