# role: helper
# rule: prism:no-dynamic-attr
# tries: Lets `copy.copy` set a state on what its `__new__` gives.
import copy

import torch.nn.functional as F


class Patch:
    made = []

    def __new__(cls):
        if cls.made:
            return F
        cls.made.append(1)
        return super().__new__(cls)

    def __getstate__(self):
        return None, {"re" + "lu": len}


copy.copy(Patch())
