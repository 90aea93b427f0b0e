# role: architecture
# rule: prism:no-attribute-escape
# tries: Put = super().__setattr__ is a store under another name, which the index does not count.
def victim():
    pass


class Own:
    kind = "shape"

    def __setattr__(self, name, value):
        put = super().__setattr__
        put("kind", value)

    def read(self, thing):
        return getattr(thing, self.kind)


def build_model(ctx):
    own = Own()
    own.x = "__globals__"
    return own.read(victim)["__builtins__"]["eval"]("1+1")
