# role: helper
# rule: prism:no-dynamic-code
# tries: Registers a function by a call whose annotation is an element of a list of texts.
import functools

KINDS = ["__import__('os')"]


@functools.singledispatch
def show(value):
    return value


def other(value: KINDS[0]):
    return value


show.register(other)
