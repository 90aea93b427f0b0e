# role: helper
# rule: prism:no-dynamic-attr
# tries: Calls a method by its class with one of its arguments by name, so that it seems to have one less.
class Box:
    def pick(self, name):
        return getattr(self, name)


def reach(x, *parts):
    return Box.pick(x, name="".join(parts))
