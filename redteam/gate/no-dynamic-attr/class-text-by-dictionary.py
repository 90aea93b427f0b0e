# role: helper
# rule: prism:no-dynamic-attr
# tries: Changes the text of a class, which decides what is read, through the dictionary of an object.
class Box:
    name = "shape"

    def of(self, x):
        return getattr(x, self.name)


def reach(x, *parts):
    box = Box()
    box.__dict__["name"] = "".join(parts)
    return box.of(x)
