# role: helper
# rule: prism:no-attribute-escape
# tries: Derives from `property` to be told the documentation of what it wraps.
import torch.nn.functional as F


class Keep(property):
    def __setattr__(self, name, value):
        print(name, value)


Keep(F.relu)
