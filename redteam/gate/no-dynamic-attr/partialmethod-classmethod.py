# role: architecture
# rule: prism:no-dynamic-attr
# tries: An enumeration's _missing_ through functools.partial of a class.
import functools

import torch.nn.functional as F

kinds = []


class Own:
    tell = functools.partialmethod(classmethod(kinds.append))

    def read(self):
        return vars(self)


def build_model(ctx):
    Own().tell()
    read = kinds[0].read
    return read(read(F)["torch"])["os"].getpid()
