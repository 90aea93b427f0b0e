# role: helper
# rule: prism:no-attribute-escape
# tries: Binds the name of its class to a function by a loop, so that the dictionary is that of a module.
import torch.nn.functional as F


class Scale:
    pass


def other():
    return F


for Scale in iter([other]):
    pass

names = Scale().__dict__
