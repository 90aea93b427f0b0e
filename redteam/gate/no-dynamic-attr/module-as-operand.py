# role: helper
# rule: prism:no-dynamic-attr
# tries: Hands a module to a method by an operator, whose argument nobody follows.
import torch


class Taker:
    def __matmul__(self, module):
        return module.hub.list("x")


def take():
    return Taker() @ torch
