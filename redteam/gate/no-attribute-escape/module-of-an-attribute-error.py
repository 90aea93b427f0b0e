# role: helper
# rule: prism:no-attribute-escape
# tries: Takes the module out of the AttributeError that a missing name of it raises.
import math


def library():
    try:
        math.no_such_function
    except AttributeError as error:
        return error.obj
