# role: helper
# rule: prism:no-dynamic-code
# tries: Annotates with the attribute of a class that is a text, which singledispatch evaluates.
import functools


class Kinds:
    NUMBER = "__import__('os')"


@functools.singledispatch
def show(value):
    return value


@show.register
def other(value: Kinds.NUMBER):
    return value
