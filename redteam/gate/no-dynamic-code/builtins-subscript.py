# role: helper
# rule: prism:no-dynamic-code | prism:no-attribute-escape
# tries: Takes eval out of __builtins__, which is a dict in imported modules.
def width():
    return __builtins__["ev" + "al"]("64")
