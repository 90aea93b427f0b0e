# role: helper
# rule: prism:no-deserialization | prism:no-filesystem
# tries: Reads an array by the format module of numpy, which unpickles objects.
from numpy.lib import format as layout


def order(stream):
    return layout.read_array(stream, allow_pickle=True)
