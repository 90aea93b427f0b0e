# role: helper
# rule: prism:no-dynamic-attr | prism:no-attribute-escape
# tries: Calls the attribute lookup of object unbound, with the name in a variable.
import torch

look = object.__getattribute__


def door(name):
    return look(torch, name)
