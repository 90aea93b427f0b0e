# role: helper
# rule: prism:no-dynamic-code
# tries: Annotates with a name that stands for text, which singledispatch evaluates.
import functools

KIND = "__import__('os')"


@functools.singledispatch
def show(value):
    return value


@show.register
def other(value: KIND):
    return value
