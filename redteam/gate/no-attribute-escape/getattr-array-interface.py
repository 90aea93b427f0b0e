# role: architecture
# rule: prism:no-attribute-escape
# tries: __getattr__ answers for __array_interface__ without naming it: any memory.
import numpy as np


class Own:
    def __init__(self, address):
        self.address = address

    def __getattr__(self, name):
        if len(name) == 19 and name[2] == "a":
            return {"shape": (8,), "typestr": "<i8", "data": (self.address, False), "version": 3}
        raise AttributeError(name)


def build_model(ctx):
    words = np.asarray(Own(id(len)))
    return [int(word) for word in words]
