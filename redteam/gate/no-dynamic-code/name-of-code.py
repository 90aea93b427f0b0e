# role: architecture
# rule: prism:no-dynamic-code
# tries: Registered: a text that names a text is evaluated twice.
import functools

found = []
CODE = "found.append(__import__('os').getpid())"


@functools.singledispatch
def show(x):
    return x


def build_model(ctx):
    try:
        @show.register
        def _(x: "CODE"):
            return x
    except TypeError:
        pass
    return found
