# role: helper
# rule: prism:no-dynamic-attr
# tries: Keeps the class that a class method is given.
import torch.nn.functional as F

kept = []


class Store:
    @classmethod
    def keep(cls):
        kept.append(cls)

    def put(self, name, value):
        setattr(self, name, value)


Store().keep()
kept[0].put(F, "relu", len)
