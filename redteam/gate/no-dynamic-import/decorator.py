# role: helper
# rule: prism:no-dynamic-import
# tries: Lets two decorators on a class call __import__ with a string.
@__import__
@lambda cls: "o" + "s"
class backend:
    pass


def pid():
    return backend.getpid()
