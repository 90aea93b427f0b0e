# role: helper
# rule: prism:no-dynamic-attr
# tries: Lets a keyword-only default carry torch into a lambda that returns it.
import torch

pick = lambda *, library=torch: library
LOAD = pick().hub.load
