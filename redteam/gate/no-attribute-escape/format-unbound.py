# role: helper
# rule: prism:no-attribute-escape
# tries: Calls format as a function of the class, with the template made of adjacent pieces.
def title(model):
    return str.format("{0._" "_class_" "_._" "_mro__}", model)
