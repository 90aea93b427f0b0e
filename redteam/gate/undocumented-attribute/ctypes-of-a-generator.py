# role: helper
# rule: prism:undocumented-attribute | prism:no-ffi
# tries: Reaches ctypes behind a bit generator.
import numpy as np

rng = np.random.default_rng(0)
address = rng.bit_generator.ctypes
