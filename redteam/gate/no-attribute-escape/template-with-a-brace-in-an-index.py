# role: helper
# rule: prism:no-attribute-escape
# tries: Hides an attribute of a template behind a brace within brackets.
class Box:
    def __getitem__(self, key):
        return len


text = "{0[}].__doc__}".format(Box())
