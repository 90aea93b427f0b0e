# role: architecture
# rule: prism:no-attribute-escape
# tries: Np.set_printoptions(override_repr=own) changes what the process prints.
import numpy as np


def own(array):
    return "mine"


def build_model(ctx):
    np.set_printoptions(override_repr=own)
    return np.zeros(3)
