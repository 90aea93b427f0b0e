# role: helper
# rule: prism:no-dynamic-code
# tries: Calls exec by decorating a function with it, after another decorator has made a string of it.
@exec
@lambda function: "WIDTH = 64"
def width():
    return 64
