# role: helper
# rule: prism:no-dynamic-attr
# tries: Adds torch to an object in place, so that __iadd__ receives the module.
import torch


class Total:
    def __iadd__(self, other):
        self.loader = other.hub.load
        return self


total = Total()
total += torch
