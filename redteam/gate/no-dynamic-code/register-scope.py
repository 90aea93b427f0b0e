# role: training
# rule: prism:no-dynamic-code
# tries: Annotations of what is registered are looked up in the module, not where they stand.
import functools

Kind = int


@functools.singledispatch
def show(x):
    return x


def train(ctx):
    Kind = "".join(["print('PWNED', __import", "__('os').getuid())"])
    try:

        @show.register
        def show_other(x: Kind):
            return x

    except TypeError:
        pass
