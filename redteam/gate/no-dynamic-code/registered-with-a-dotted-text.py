# role: helper
# rule: prism:no-dynamic-code
# tries: Names a class by a text that is evaluated.
import functools


@functools.singledispatch
def show(x):
    return x


@show.register
def _(x: "torch.hub.Path"):
    return x
