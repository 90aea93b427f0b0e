# role: helper
# rule: prism:no-ffi
# tries: Gives numpy an address by a property of its own.
import numpy as np


class View:
    @property
    def __array_interface__(self):
        return {"version": 3, "shape": (4,), "typestr": "|u1", "data": (id(self), True)}


seen = np.asarray(View())
