# role: helper
# rule: prism:no-attribute-escape
# tries: Makes a method static under another name, so that its first parameter is no object of the class.
plain = staticmethod


class Box:
    @plain
    def names(x):
        return x.__dict__
