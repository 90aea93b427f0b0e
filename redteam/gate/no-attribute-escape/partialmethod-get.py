# role: architecture
# rule: prism:no-attribute-escape
# tries: Functools.partialmethod asks its object for __get__ and gives it the class.
import functools
import warnings

kinds = []


class Probe:
    def __call__(self):
        return None

    def take(self, obj, cls):
        kinds.append(cls)
        return self

    def __getattr__(self, name):
        if len(name) == 7:
            return self.take
        raise AttributeError(name)


class Own:
    tell = functools.partialmethod(Probe())

    def read(self):
        return vars(self)


def build_model(ctx):
    Own().tell
    read = kinds[0].read
    d = read(warnings.catch_warnings())
    d = read(d["_module"])
    return d["sys"].modules["os"].getpid()
