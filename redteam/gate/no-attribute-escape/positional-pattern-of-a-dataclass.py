# role: helper
# rule: prism:no-attribute-escape | prism:no-dynamic-attr
# tries: Has a dataclass make __match_args__ from the name of a field that is an attribute of generators.
import abc
from dataclasses import dataclass


@dataclass
class View(abc.ABC):
    gi_frame: object


View.register(type(number for number in ()))


def frame():
    match (number for number in ()):
        case View(found):
            return found
