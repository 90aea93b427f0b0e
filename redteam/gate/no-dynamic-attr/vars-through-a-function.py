# role: helper
# rule: prism:no-dynamic-attr
# tries: Hands a module of torch to a function that takes the dictionary of what it is given.
from torch import nn


def shown(module):
    return vars(module)


print(shown(nn.Linear(1, 1)))
