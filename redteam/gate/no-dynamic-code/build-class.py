# role: helper
# rule: prism:no-dynamic-code | prism:no-attribute-escape
# tries: Makes a class with the builtin that class statements use, to escape a check of class statements.
def body():
    width = 64


Config = __build_class__(body, "Config")
