# role: helper
# rule: prism:no-ffi
# tries: Makes an object of an address.
import numpy as np

numbers = np.array([1])
made = np.ndarray((1,), object, numbers)
