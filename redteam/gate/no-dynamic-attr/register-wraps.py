# role: architecture
# rule: prism:no-dynamic-attr
# tries: Functools.wraps copies annotations that are code to what is registered.
import functools

found = []


@functools.singledispatch
def show(x):
    return x


def make(kind):
    def inner(x: kind):
        return x
    return inner


def build_model(ctx):
    try:
        @show.register
        @functools.wraps(make("".join(["found.append(__imp", "ort__(", chr(39), "os", chr(39), ").getpid())"])))
        def inner(x):
            return x
    except TypeError:
        pass
    return found
