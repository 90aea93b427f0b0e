# role: architecture
# rule: prism:no-dynamic-attr
# tries: An annotation that fails: the KeyError keeps the class that was asked for.
import numpy as np
import torch.nn.functional as F

kinds = []


class Own:
    def read(self):
        return vars(self)


def build_model(ctx):
    try:
        def f(x: np.sctypeDict[Own]):
            return x
    except KeyError as error:
        kinds.append(error.args[0])
    read = kinds[0].read
    return read(read(F)["torch"])["os"].getpid()
