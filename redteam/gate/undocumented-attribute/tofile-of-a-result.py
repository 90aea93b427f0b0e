# role: helper
# rule: prism:no-filesystem | prism:undocumented-attribute
# tries: Writes the file of an array that a function returned.
import numpy as np


def make():
    return np.arange(3)


make().tofile("/tmp/x")
