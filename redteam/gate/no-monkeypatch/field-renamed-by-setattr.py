# role: helper
# rule: prism:no-monkeypatch
# tries: Renames a field of a dataclass, whose name becomes code of the next class.
from dataclasses import dataclass, fields as parts


@dataclass
class Base:
    x: int = 1


for part in parts(Base):
    setattr(part, "name", "x and print('id') or self.x")


@dataclass(init=False, repr=False)
class Derived(Base):
    pass
