# role: helper
# rule: prism:no-torch-escape | prism:no-dynamic-attr
# tries: Takes the name from the other arguments, whose place a default seems to fill.
import torch


def pick(first, *name, last="float32"):
    return getattr(torch, name)


pick(1, "hub")
