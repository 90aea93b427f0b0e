# role: training
# rule: prism:undocumented-attribute
# tries: A set literal is believed to keep its order when unpacked.
import warnings


class Box:
    def __init__(self):
        self._module = None

    def keep(self):
        self._module = Box()


def train(ctx):
    for _ in range(64):
        a, b = {Box(), warnings.catch_warnings()}
        if isinstance(a, warnings.catch_warnings):
            a._module.__dict__["__builtins__"]["exec"]("print('out')")
            break
