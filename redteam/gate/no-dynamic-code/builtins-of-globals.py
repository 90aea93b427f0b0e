# role: helper
# rule: prism:no-dynamic-code | prism:no-dynamic-attr | prism:no-attribute-escape
# tries: Goes through globals() to the builtins, with the key in two pieces.
def width():
    table = globals()["__built" "ins__"]
    return table["eval"]("64")
