# role: architecture
# rule: prism:no-dynamic-code
# tries: Register is mapped over functions: what it is given is not seen.
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
        list(map(show.register, [make("".join(["found.append(__imp", "ort__(", chr(39), "os", chr(39), ").getpid())"]))]))
    except TypeError:
        pass
    return found
