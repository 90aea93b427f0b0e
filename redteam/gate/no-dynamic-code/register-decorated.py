# role: architecture
# rule: prism:no-dynamic-code
# tries: A decorator of the bundle gives register another function.
import functools

found = []


@functools.singledispatch
def show(x):
    return x


def make(kind):
    def inner(x: kind):
        return x
    return inner


def swap(function):
    return make("".join(["found.append(__imp", "ort__(", chr(39), "os", chr(39), ").getpid())"]))


def build_model(ctx):
    try:
        @show.register
        @swap
        def inner(x: int):
            return x
    except TypeError:
        pass
    return found
