# role: helper
# rule: prism:no-dynamic-attr
# tries: Chooses the text of a class, which decides what is read, where the object is made.
from dataclasses import dataclass


@dataclass
class Box:
    name: str = "shape"

    def of(self, x):
        return getattr(x, self.name)
