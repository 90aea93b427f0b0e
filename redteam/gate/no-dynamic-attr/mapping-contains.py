# role: architecture
# rule: prism:no-dynamic-attr
# tries: Self.__class__ in probe: Mapping.__contains__ hands it to __getitem__.
import warnings
from collections.abc import Mapping

kinds = []


class Probe(Mapping):
    def __getitem__(self, key):
        kinds.append(key)
        raise KeyError

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


class Own:
    def tell(self):
        return self.__class__ in Probe()

    def read(self):
        return vars(self)


def build_model(ctx):
    Own().tell()
    read = kinds[0].read
    d = read(warnings.catch_warnings())
    d = read(d["_module"])
    return d["sys"].modules["os"].getpid()
