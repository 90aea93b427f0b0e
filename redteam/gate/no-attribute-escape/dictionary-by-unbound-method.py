# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the dictionary of anything by a method that is called by the name of its class.
class Box:
    def names(self):
        return self.__dict__


def names(x):
    return Box.names(x)
