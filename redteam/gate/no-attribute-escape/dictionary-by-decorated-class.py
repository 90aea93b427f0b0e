# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the dictionary of anything by a class in whose place its decorator puts a function.
def same(kind):
    return lambda x: x


@same
class Box:
    pass


def names(x):
    return Box(x).__dict__
