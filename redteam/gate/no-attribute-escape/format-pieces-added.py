# role: helper
# rule: prism:no-attribute-escape
# tries: Adds up the template of str.format so that no literal holds the whole attribute.
DOUBLE = "__"
PATTERN = "{0." + DOUBLE + "class" + DOUBLE + "}"


def title(model):
    return PATTERN.format(model)
