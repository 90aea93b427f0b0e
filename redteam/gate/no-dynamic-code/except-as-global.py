# role: training
# rule: prism:no-dynamic-code
# tries: except E as name deletes the global; the gate marks it in the function only.
exec = None


def drop():
    global exec
    try:
        raise ValueError
    except ValueError as exec:
        pass


def train(ctx):
    drop()
    exec("print('out')")
