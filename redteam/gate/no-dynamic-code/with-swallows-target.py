# role: training
# rule: prism:no-dynamic-code
# tries: A with that swallows the failure of its own target: the name is not bound.
class Guard:
    def __enter__(self):
        return None

    def __exit__(self, kind, value, trace):
        return True


with Guard() as (exec,):
    pass

exec("print('out')")


def train(ctx):
    pass
