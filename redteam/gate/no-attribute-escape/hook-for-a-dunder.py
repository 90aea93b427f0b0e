# role: helper
# rule: prism:no-attribute-escape
# tries: Answers in `__getattr__` for a name that makes other libraries believe in an address.
class Box:
    def __getattr__(self, name):
        if name == "__array" "_interface__":
            return {"shape": (8,), "typestr": "|u1", "data": (1, True), "version": 3}
        raise AttributeError(name)
