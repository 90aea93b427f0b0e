# role: helper
# rule: prism:no-attribute-escape
# tries: Compares its class with an object whose `__eq__` calls a method of it unbound.
import torch.nn.functional as F


class Table:
    def held(self):
        return self.__dict__


class Witness:
    def __eq__(self, kind):
        self.names = kind.held(F)
        return True


same = Witness() == Table
