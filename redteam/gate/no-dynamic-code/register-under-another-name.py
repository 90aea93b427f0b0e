# role: helper
# rule: prism:no-dynamic-code
# tries: Registers a function whose annotation is code under another name of `register`.
import functools


@functools.singledispatch
def f(x):
    pass


r = f.register
