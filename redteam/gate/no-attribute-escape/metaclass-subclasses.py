# role: helper
# rule: prism:no-attribute-escape
# tries: Calls __subclasses__ unbound, as a function of type, in a metaclass.
class Registry(type):
    def __call__(cls, *arguments):
        return type.__subclasses__(object)


class Config(metaclass=Registry):
    width = 64
