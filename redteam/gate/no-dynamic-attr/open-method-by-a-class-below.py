# role: helper
# rule: prism:no-dynamic-attr
# tries: Calls a method by the name of a class below its own.
import torch.nn.functional as F


class Store:
    def put(self, name, value):
        setattr(self, name, value)


class Below(Store):
    pass


Below.put(F, "relu", len)
