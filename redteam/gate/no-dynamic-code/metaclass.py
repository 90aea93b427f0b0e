# role: helper
# rule: prism:no-dynamic-code
# tries: Adds members with computed names to the namespace of a class in a metaclass.
class Meta(type):
    def __new__(mcs, name, bases, namespace):
        namespace["__red" + "uce__"] = lambda self: (print, ("x",))
        return super().__new__(mcs, name, bases, namespace)


class State(metaclass=Meta):
    pass
