# role: architecture
# rule: prism:no-dynamic-attr
# tries: Classmethod(lambda kind: ...) in a class body hands the class out.
import warnings

kinds = []


class Own:
    tell = classmethod(lambda kind: kinds.append(kind))

    def read(self):
        return vars(self)


def build_model(ctx):
    Own().tell()
    read = kinds[0].read
    d = read(warnings.catch_warnings())
    d = read(d["_module"])
    return d["sys"].modules["os"].getpid()
