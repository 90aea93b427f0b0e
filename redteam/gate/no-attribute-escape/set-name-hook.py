# role: helper
# rule: prism:no-attribute-escape
# tries: Walks the bases of the owner in a descriptor's __set_name__, which the class statement calls.
class Width:
    def __set_name__(self, owner, name):
        self.kinds = owner.__bases__[0].__subclasses__()


class Config:
    width = Width()
