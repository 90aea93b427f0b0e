# role: helper
# rule: prism:no-dynamic-attr
# tries: Reaches a method by a name in two literals that Python joins.
class Box:
    def pick(self, name):
        return getattr(self, name)


def reach(x, *parts):
    return getattr(Box, "pi" "ck")(x, "".join(parts))
