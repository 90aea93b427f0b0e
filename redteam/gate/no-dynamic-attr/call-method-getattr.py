# role: training
# rule: prism:no-dynamic-attr
# tries: f.__call__(...) is another path than f(...).
def other():
    return 1


def train(ctx):
    name = "".join(["__glo", "bals__"])
    getattr.__call__(other, name)["__builtins__"]["exec"]("print('out')")
