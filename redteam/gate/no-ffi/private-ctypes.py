# role: helper
# rule: prism:no-ffi
# tries: Imports the C module below ctypes instead of ctypes.
from _ctypes import dlopen as activate


def load():
    return activate("libm.so.6", 0)
