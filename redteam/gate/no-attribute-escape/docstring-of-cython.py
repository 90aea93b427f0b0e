# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the documentation of a compiled function by the other name that Cython gives it.
import numpy as np


def text():
    return np.random.default_rng.func_doc
