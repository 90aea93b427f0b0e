# role: helper
# rule: prism:no-dynamic-code
# tries: Annotates with an f-string, which singledispatch evaluates.
import functools

NAME = "print"


@functools.singledispatch
def show(value):
    return value


@show.register
def other(value: f"{NAME}\x28'x'\x29"):
    return value
