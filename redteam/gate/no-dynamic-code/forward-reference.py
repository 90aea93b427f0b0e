# role: helper
# rule: prism:no-dynamic-code | prism:no-attribute-escape | prism:no-forbidden-import
# tries: Evaluates a string as a forward reference with the private method of typing.
import typing


def width():
    reference = typing.ForwardRef("print('x')")
    return reference._evaluate({}, {}, frozenset())
