# role: helper
# rule: prism:no-attribute-escape
# tries: Gives `no_grad` the value of a call, which is handed the method itself.
from torch import no_grad as quiet
import torch.nn.functional as F

kept = []


def keep(function):
    kept.append(function(F))
    return function


def choose():
    return keep


quiet = choose()


class Table:
    @quiet
    def held(self):
        return self.__dict__
