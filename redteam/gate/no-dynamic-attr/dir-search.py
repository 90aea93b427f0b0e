# role: helper
# rule: prism:no-dynamic-attr
# tries: Searches the names of a module for one that must not be written out.
import torch

NAMES = [name for name in dir(torch) if name.endswith("ub")]
