# role: helper
# rule: prism:no-dynamic-attr
# tries: Calls `__init__` of its object again, with a computed name.
class Reader:
    def __init__(self, thing, name):
        self.value = getattr(thing, name)


def probe():
    return 0


reader = Reader(probe, "__name__")
reader.__init__(probe, "".join(["__glo", "bals__"]))
