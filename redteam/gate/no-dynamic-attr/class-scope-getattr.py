# role: training
# rule: prism:no-dynamic-attr
# tries: A class body name hides the global in bindings(): getattr name believed "shape".
def part():
    return "".join(["__glo", "bals__"])


KEY = part()


class Reader:
    KEY = "shape"

    def read(self, value):
        return getattr(value, KEY)


def train(ctx):
    table = Reader().read(train_helper)
    table["__builtins__"]["exec"]("print('out')")


def train_helper():
    return 1
