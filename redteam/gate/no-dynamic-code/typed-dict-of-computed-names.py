# role: helper
# rule: prism:no-dynamic-code | prism:no-monkeypatch
# tries: Makes a class with names that hold code.
import dataclasses
import typing

NAME = "x or pri" + "nt(1)"
Row = typing.TypedDict("Row", {NAME: int})
dataclasses.dataclass(Row)
