# role: helper
# rule: prism:undocumented-attribute | prism:no-ffi
# tries: Reads the attribute in a pattern.
import numpy as np

match np.random.default_rng(0).bit_generator:
    case object(ctypes=found):
        print(found)
