# role: helper
# rule: prism:no-attribute-escape
# tries: Reaches the module of builtins as the owner of a builtin function.
run = len.__self__


def width():
    return run.eval("64")
