# role: helper
# rule: prism:no-dynamic-attr
# tries: Calls a constructor, whose parameter is a name, by the type of an object.
class Box:
    def __init__(self, x, name="append"):
        self.value = getattr(x, name)


def reach(x, *parts):
    return type(Box([1], "append"))(x, "".join(parts)).value
