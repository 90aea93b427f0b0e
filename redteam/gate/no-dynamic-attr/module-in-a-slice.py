# role: helper
# rule: prism:no-dynamic-attr
# tries: Hides torch as one end of a slice.
import torch


class Table:
    def __getitem__(self, key):
        return key.start.hub.load


LOAD = Table()[torch:]
