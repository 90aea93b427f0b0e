# role: training
# rule: prism:no-dynamic-code
# tries: The body of a def is believed to run after its name is bound; a decorator calls it before.
def now(function):
    function()
    return function


@now
def exec():
    exec("print('out')")


def train(ctx):
    pass
