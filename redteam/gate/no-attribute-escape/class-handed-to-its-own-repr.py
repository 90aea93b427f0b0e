# role: helper
# rule: prism:no-attribute-escape
# tries: Calls a function of its own `repr` and gives it a class.
import torch.nn.functional as F


class Table:
    def held(self):
        return self.__dict__


def repr(kind):
    return [kind].pop().held(F)


names = repr(Table)
