# role: architecture
# rule: prism:no-dynamic-code
# tries: Show.register(SimpleNamespace(**{'__annotations__': code})) evaluates it.
import functools
import types

found = []


@functools.singledispatch
def show(x):
    return x


def build_model(ctx):
    code = "__import__(" + repr("os") + ").getpid()"
    try:
        show.register(types.SimpleNamespace(**{"__annota" + "tions__": {"x": code}}))
    except TypeError as error:
        return str(error)
