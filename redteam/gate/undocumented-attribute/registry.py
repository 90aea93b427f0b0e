# role: training
# rule: prism:undocumented-attribute
# tries: singledispatch.registry hands out a class that only stands in an annotation.
import functools
import warnings


class Reader:
    def read(self):
        return self._module.__dict__["__builtins__"]["exec"]

    def keep(self):
        self._module = Reader()


KNOWN = "registry"


@functools.singledispatch
def show(x):
    return x


@show.register
def show_reader(x: Reader):
    return x


def train(ctx):
    kind = list(show.registry.keys())[-1]
    kind.read(warnings.catch_warnings())("print('out')")
