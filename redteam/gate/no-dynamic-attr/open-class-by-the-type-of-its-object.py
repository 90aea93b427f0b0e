# role: helper
# rule: prism:no-dynamic-attr
# tries: Lets an object return its type, and calls a method of that on another object.
import torch.nn.functional as F


class Store:
    def put(self, name, value):
        setattr(self, name, value)

    def kind(self):
        return type(self)


Store().kind().put(F, "relu", len)
