# role: helper
# rule: prism:no-dynamic-attr
# tries: Freezes getattr with torch as its first argument.
from functools import partial

import torch

piece = partial(getattr, torch)


def door(name):
    return piece(name)
