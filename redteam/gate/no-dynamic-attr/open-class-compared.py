# role: helper
# rule: prism:no-dynamic-attr
# tries: Compares the class with an object whose method is given it.
import torch.nn.functional as F

kept = []


class Probe:
    def __eq__(self, other):
        kept.append(other)
        return False


class Store:
    def put(self, name, value):
        setattr(self, name, value)


print(Store == Probe())
kept[0].put(F, "relu", len)
