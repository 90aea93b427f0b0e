# role: helper
# rule: prism:no-dynamic-attr
# tries: Lets a comprehension yield torch, whose elements nobody follows.
import torch

LOAD = [torch for _ in range(1)][0].hub.load
