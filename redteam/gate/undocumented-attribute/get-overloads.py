# role: training
# rule: prism:undocumented-attribute
# tries: typing.get_overloads hands out a method as a function.
import typing
import warnings


class Reader:
    @typing.overload
    def read(self, value):
        return self._module.__dict__["__builtins__"]["exec"]

    def read(self, value):
        return 1

    def keep(self):
        self._module = Reader()


def train(ctx):
    function = typing.get_overloads(Reader().read)[0]
    function(warnings.catch_warnings(), 1)("print('out')")
