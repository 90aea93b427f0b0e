# role: training
# rule: prism:no-dynamic-attr
# tries: self.__m in class A is A._A__m: its calls are not counted.
import warnings


class Box:
    def __init__(self):
        self._module = None

    def keep(self):
        self._module = Box()


class Reader:
    def _Reader__read(self, value):
        return value._module.__dict__["__builtins__"]["exec"]

    def go(self):
        return self.__read(warnings.catch_warnings())


def train(ctx):
    Reader().go()("print('out')")
