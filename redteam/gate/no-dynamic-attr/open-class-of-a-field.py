# role: helper
# rule: prism:no-dynamic-attr
# tries: Takes the class from the type of a field of a dataclass.
from dataclasses import dataclass, fields

import torch.nn.functional as F


class Store:
    def put(self, name, value):
        setattr(self, name, value)


@dataclass
class Holder:
    store: Store


fields(Holder)[0].type.put(F, "relu", len)
