# role: architecture
# rule: prism:no-dynamic-code
# tries: Registered: an annotation that is a walrus is code that is evaluated.
import functools

found = []


@functools.singledispatch
def show(x):
    return x


def build_model(ctx):
    try:
        @show.register
        def _(x: (y := "found.append(__import__('os').getpid())")):
            return x
    except TypeError:
        pass
    return found
