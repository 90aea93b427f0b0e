# role: helper
# rule: prism:no-dynamic-code
# tries: Gives a class of its own as metaclass.
class Meta(type):
    pass


class Model(metaclass=Meta):
    pass
