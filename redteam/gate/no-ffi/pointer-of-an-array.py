# role: helper
# rule: prism:no-ffi
# tries: Takes the raw pointer of an array by its ctypes attribute.
import numpy as np


def address(n):
    values = np.zeros(n)
    return values.ctypes.data_as(values.ctypes._ctypes.c_void_p)
