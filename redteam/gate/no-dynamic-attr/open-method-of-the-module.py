# role: helper
# rule: prism:no-dynamic-attr
# tries: Makes a method a function of its file by `global`.
import torch.nn.functional as F


class Store:
    global put

    def put(self, name, value):
        setattr(self, name, value)


put(F, "relu", len)
