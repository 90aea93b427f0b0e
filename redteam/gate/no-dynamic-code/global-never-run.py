# role: helper
# rule: prism:no-dynamic-code
# tries: Declares eval global and assigns it in a function that nobody calls.
def reset():
    global eval
    eval = len


def width():
    return eval("32 + 32")
