# role: helper
# rule: prism:no-attribute-escape
# tries: Calls a method of an alias of its generic class, which is the function itself.
from typing import Generic, TypeVar

import torch.nn.functional as F

T = TypeVar("T")


class Table(Generic[T]):
    def held(self):
        return self.__dict__


names = Table[int].held(F)
