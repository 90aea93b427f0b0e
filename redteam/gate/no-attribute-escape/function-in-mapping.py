# role: architecture
# rule: prism:no-attribute-escape
# tries: Function in probe: Mapping.__contains__ hands a function out whose calls are believed to be seen.
from collections.abc import Mapping

functions = []


class Probe(Mapping):
    def __getitem__(self, key):
        functions.append(key)
        raise KeyError

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


def read(thing, name="shape"):
    return getattr(thing, name)


def victim():
    pass


def build_model(ctx):
    read in Probe()
    return functions[0](victim, "__globals__")["__builtins__"]["eval"]("1+1")
