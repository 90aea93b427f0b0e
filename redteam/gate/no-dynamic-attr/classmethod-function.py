# role: architecture
# rule: prism:no-dynamic-attr
# tries: Classmethod(function) in a class body hands the class to a function of the module.
import warnings

kinds = []


def collect(kind):
    kinds.append(kind)


class Own:
    tell = classmethod(collect)

    def read(self):
        return vars(self)


def build_model(ctx):
    Own().tell()
    read = kinds[0].read
    d = read(warnings.catch_warnings())
    d = read(d["_module"])
    return d["sys"].modules["os"].getpid()
