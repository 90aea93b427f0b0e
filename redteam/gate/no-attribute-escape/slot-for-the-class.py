# role: helper
# rule: prism:no-attribute-escape
# tries: Lists the class of an object among its slots, so that it can be set.
class Fake:
    __slots__ = ("__class__",)
