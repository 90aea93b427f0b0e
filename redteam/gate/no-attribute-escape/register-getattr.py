# role: architecture
# rule: prism:no-attribute-escape
# tries: Show.register(own) of an object whose __getattr__ gives annotations that are code.
import functools

found = []


class Own:
    def __getattr__(self, name):
        if len(name) == len("annotations") + 4:
            return {"x": "__import__('os').getpid() and print"}
        raise AttributeError(name)


@functools.singledispatch
def show(x):
    return x


class Names:
    pass


def build_model(ctx):
    try:
        show.register(Own())
    except TypeError as error:
        return str(error)
