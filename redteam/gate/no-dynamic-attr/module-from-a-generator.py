# role: helper
# rule: prism:no-dynamic-attr
# tries: Takes torch out of a generator expression.
import torch

LOAD = next(torch for _ in range(1)).hub.load
