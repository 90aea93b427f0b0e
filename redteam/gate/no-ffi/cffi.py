# role: helper
# rule: prism:no-ffi
# tries: Opens a library with cffi.
from cffi import FFI as Kernel


def load():
    kernel = Kernel()
    kernel.cdef("int getpid(void);")
    return kernel.dlopen(None)
