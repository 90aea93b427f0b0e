# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the dictionary of anything by a class whose `__new__` gives back what it is given.
class Same:
    def __new__(cls, x):
        return x


def names(x):
    return Same(x).__dict__
