# role: helper
# rule: prism:no-dynamic-attr
# tries: Uses torch as the key of a subscript, so that __getitem__ receives the module.
import torch


class Table:
    def __getitem__(self, key):
        return key.hub.load


LOAD = Table()[torch]
