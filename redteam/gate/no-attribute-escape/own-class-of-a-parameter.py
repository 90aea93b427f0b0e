# role: helper
# rule: prism:no-attribute-escape
# tries: Calls a parameter whose default is its own class with something that comes out of a list.
import torch.nn.functional as F


class Scale:
    pass


def other():
    return F


def held(kind=Scale):
    return kind().__dict__


names = held([other].pop())
