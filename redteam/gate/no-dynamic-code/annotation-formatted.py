# role: helper
# rule: prism:no-dynamic-code
# tries: Annotates with a formatted text, which singledispatch evaluates.
import functools


@functools.singledispatch
def show(value):
    return value


@show.register
def other(value: "%cprint%c'x'%c" % (32, 40, 41)):
    return value
