# role: helper
# rule: prism:no-attribute-escape
# tries: Imports an abstract class under the name of another whose patterns are harmless.
from abc import ABC as NamedTuple


class View(NamedTuple):
    pass


def show(x):
    match x:
        case View(frame):
            return frame
