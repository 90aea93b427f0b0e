# role: helper
# rule: prism:no-ffi
# tries: The same by keyword.
import numpy as np

made = np.ndarray(shape=(1,), dtype="O", buffer=np.array([1]))
