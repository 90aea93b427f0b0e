# role: helper
# rule: prism:no-dynamic-code | prism:no-attribute-escape
# tries: Writes code into __annotations__ and has singledispatch evaluate it.
import functools


@functools.singledispatch
def show(value):
    return value


def other(value):
    return value


other.__annotations__["value"] = "__imp" + "ort__('os')"
show.register(other)
