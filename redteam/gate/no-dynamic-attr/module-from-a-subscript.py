# role: helper
# rule: prism:no-dynamic-attr
# tries: Indexes into an f-string of nothing and into a tuple that holds a module.
import torch


def pick(n):
    return (torch, None)[n].hub.list("x")
