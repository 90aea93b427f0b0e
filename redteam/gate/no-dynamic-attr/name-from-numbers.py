# role: helper
# rule: prism:no-dynamic-attr
# tries: Decodes the name for getattr from a list of numbers.
import torch


def door():
    return getattr(torch, bytes([95, 67]).decode())
