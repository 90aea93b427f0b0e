# role: architecture
# rule: prism:no-dynamic-code
# tries: Registered: a name that is called Literal may be another generic, whose texts are evaluated.
import functools
from typing import List as Literal

found = []


@functools.singledispatch
def show(x):
    return x


def build_model(ctx):
    try:
        @show.register
        def _(x: Literal["found.append(__import__('os').getpid())"]):
            return x
    except TypeError:
        pass
    return found
