# role: helper
# rule: prism:no-dynamic-attr
# tries: Sends the module through the value of a conditional in a generator's yield.
import torch


def modules(flag):
    value = yield (torch if flag else None)
    return value


LOAD = next(modules(True)).hub.load
