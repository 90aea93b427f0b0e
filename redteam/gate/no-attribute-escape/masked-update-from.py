# role: architecture
# rule: prism:no-attribute-escape
# tries: Np.ma: _update_from copies the dictionary of any object into an array.
import numpy as np
import torch.nn.functional as F


class Names:
    def _update_from(self):
        return None

    def _optinfo(self):
        return None


def names_of(thing):
    array = np.ma.array([1.0])
    array._update_from(thing)
    return array._optinfo


def build_model(ctx):
    torch = names_of(F)["torch"]
    return names_of(torch)["os"].getpid()
