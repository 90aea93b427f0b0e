# role: helper
# rule: prism:no-dynamic-code
# tries: Takes the class of a class out of a list and makes a class by it.
class Box:
    pass


MAKE = [type(Box)][0]
