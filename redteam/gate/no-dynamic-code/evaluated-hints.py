# role: helper
# rule: prism:no-dynamic-code | prism:no-forbidden-import
# tries: Has typing evaluate an annotation that is a string made at run time.
from typing import get_type_hints


def width():
    return 64


width.__annotations__["return"] = "".join(("print", "('x')"))
get_type_hints(width)
