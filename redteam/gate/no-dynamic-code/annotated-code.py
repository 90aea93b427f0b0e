# role: architecture
# rule: prism:no-dynamic-code
# tries: Registered: a text within Annotated is evaluated and not looked at.
import functools
from typing import Annotated

found = []


@functools.singledispatch
def show(x):
    return x


def build_model(ctx):
    try:
        @show.register
        def _(x: Annotated["found.append(__import__('os').getpid())", 1]):
            return x
    except TypeError:
        pass
    return found
