# role: helper
# rule: prism:no-dynamic-import
# tries: Freezes __import__ with its argument in a partial.
from functools import partial

backend = partial(__import__, "os")


def pid():
    return backend().getpid()
