# role: helper
# rule: prism:no-dynamic-code
# tries: Makes a class with an enumeration that has no members.
from enum import Enum


class Base(Enum):
    pass


Kind = Base("Kind", {"__redu" + "ce__": len})
