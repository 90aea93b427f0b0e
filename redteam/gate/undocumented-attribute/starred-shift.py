# role: training
# rule: prism:undocumented-attribute
# tries: Elements behind an empty *x are believed to be at their written place.
import warnings


class Box:
    def __init__(self):
        self._module = None

    def keep(self):
        self._module = Box()


def train(ctx):
    (a, b, *c) = (*(), 1, Box(), warnings.catch_warnings())[1:2] + (1,)
    pass


def take():
    (a, b, *c) = (*(), Box(), warnings.catch_warnings())
    return b._module.__dict__["__builtins__"]["exec"]


def train(ctx):
    take()("print('out')")
