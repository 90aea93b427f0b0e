# role: architecture
# rule: prism:no-attribute-escape
# tries: Super().__setattr__(name, 'literal') counts the literal as the name: a text of a class is replaced.
def victim():
    pass


class Own:
    kind = "shape"

    def __setattr__(self, name, value):
        super().__setattr__("kind", "__globals__")

    def read(self, thing):
        return getattr(thing, self.kind)


def build_model(ctx):
    own = Own()
    own.x = 1
    return own.read(victim)["__builtins__"]["eval"]("1+1")
