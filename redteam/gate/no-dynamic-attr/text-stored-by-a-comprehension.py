# role: helper
# rule: prism:no-dynamic-attr
# tries: Stores another name as the target of a comprehension.
def probe():
    return 0


class Reader:
    kind = "__name__"

    def look(self):
        [None for self.kind in ["".join(["__glo", "bals__"])]]
        return getattr(probe, self.kind)
