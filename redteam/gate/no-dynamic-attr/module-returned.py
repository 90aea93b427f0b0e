# role: helper
# rule: prism:no-dynamic-attr
# tries: Returns torch from a function.
import torch


def library():
    return torch


def door():
    return library().hub
