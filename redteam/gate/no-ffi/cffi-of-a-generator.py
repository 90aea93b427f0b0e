# role: helper
# rule: prism:no-ffi
# tries: Takes the cffi interface of a bit generator.
import numpy as np


def addresses():
    return np.random.PCG64(0).cffi
