# role: helper
# rule: prism:no-dynamic-code
# tries: Keeps the class of what a function has given back in a variable, and calls it out of a list.
def same(x):
    return x


class Own:
    pass


made = type(same(Own))
kind = [made][0]("Kind", (Own,), {"__reduce__": lambda self: (print, ())})
