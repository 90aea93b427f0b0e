# role: helper
# rule: prism:undocumented-attribute
# tries: Calls the getter of a property on another object.
import torch.nn.functional as F


class Store:
    @property
    def first(self):
        setattr(self, "re" + "lu"[:2], len)


Store.first.fget(F)
