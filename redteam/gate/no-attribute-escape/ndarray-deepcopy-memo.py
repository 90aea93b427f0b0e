# role: architecture
# rule: prism:no-attribute-escape
# tries: Ndarray.__deepcopy__(memo) fills a memo of the bundle's own with the dictionaries of what it copies.
import warnings

import numpy as np


class Memo(dict):
    def __init__(self):
        super().__init__()

    def get(self, key, default=None):
        if len(self.skip) and key in self.skip:
            return 0
        return default


class Skip:
    pass


def build_model(ctx):
    memo = {}
    box = np.array([None], dtype=object)
    box[0] = ctx
    box.__deepcopy__(memo)
    return [kept for kept in memo[id(memo)] if isinstance(kept, dict)]
