# role: helper
# rule: prism:no-dynamic-code
# tries: Binds eval to a variable of the function around it.
def width():
    run = len

    def choose():
        nonlocal run
        run = eval

    choose()
    return run("64")
