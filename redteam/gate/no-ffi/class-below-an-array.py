# role: helper
# rule: prism:no-ffi
# tries: Derives from the array of numpy and gives a buffer by place.
import numpy as np


class Own(np.ndarray):
    pass


seen = Own((1,), object, bytes(8))
