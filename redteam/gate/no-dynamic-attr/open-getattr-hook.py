# role: helper
# rule: prism:no-dynamic-attr | prism:no-attribute-escape
# tries: Sets attributes by super in a class method.
class Box:
    @classmethod
    def put(cls, target, name, value):
        super().__setattr__(target, name, value)
