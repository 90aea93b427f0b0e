# role: helper
# rule: prism:no-dynamic-attr
# tries: Folds getattr over the parts of a dotted name.
from functools import reduce

import torch

load = reduce(getattr, "hub.load".split("."), torch)
