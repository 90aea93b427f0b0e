# role: helper
# rule: prism:undocumented-attribute
# tries: Evaluates the text of a forward reference.
import typing

reference = typing.get_args(typing.List["print(1)"])[0]
reference._evaluate({}, {}, frozenset())
