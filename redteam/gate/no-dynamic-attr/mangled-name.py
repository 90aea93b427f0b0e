# role: helper
# rule: prism:no-dynamic-attr
# tries: Uses the mangling of names in a class, by which one name is bound and another is read.
import torch

_Tools__t = torch


class Tools:
    def load(self):
        return __t.hub.list("x")
