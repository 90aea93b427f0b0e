# role: helper
# rule: prism:no-dynamic-attr
# tries: Keeps torch as the key of a dict, not as its value.
import torch

LOAD = next(iter({torch: 1})).hub.load
