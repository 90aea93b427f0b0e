# role: training
# rule: prism:no-dynamic-attr
# tries: A lambda in a class body sees globals.
def helper():
    return 1


class Reader:
    name = "shape"
    read = lambda self, value: getattr(value, name)


name = "".join(["__glo", "bals__"])


def train(ctx):
    Reader().read(helper)["__builtins__"]["exec"]("print('out')")
