# role: helper
# rule: prism:no-ffi
# tries: Loads a shared library with numpy.
import numpy as np


def fast_norm():
    return np.ctypeslib.load_library("libm.so.6", "/usr/lib")
