# role: helper
# rule: prism:no-dynamic-code
# tries: Makes a class by the class of what a function has given back.
def same(x):
    return x


class Own:
    pass


kind = [type(same(Own))][0]("Kind", (Own,), {"__reduce__": lambda self: (print, ())})
