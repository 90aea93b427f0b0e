# role: helper
# rule: prism:no-attribute-escape
# tries: Reads the dictionary of a library's object in a function.
import warnings


def show(c):
    return c.__dict__


show(warnings.catch_warnings())
