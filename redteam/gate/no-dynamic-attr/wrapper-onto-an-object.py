# role: helper
# rule: prism:no-dynamic-attr
# tries: Copies all that a module holds into an object of its own with `wraps`.
from functools import wraps

import torch.nn.functional as F


class Keep:
    pass


keep = Keep()
wraps(F)(keep)
