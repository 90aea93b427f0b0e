# role: helper
# rule: prism:no-attribute-escape
# tries: Imports the documentation of a module under a name of its own.
from numpy.random import __doc__ as lesson


def text():
    return lesson
