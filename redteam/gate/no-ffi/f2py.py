# role: helper
# rule: prism:no-ffi | prism:no-process | prism:no-forbidden-import
# tries: Compiles Fortran with numpy into a module that can be imported.
from numpy import f2py as fused


def kernel():
    return fused.compile("      end", modulename="fast", verbose=False)
