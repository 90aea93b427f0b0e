# role: helper
# rule: prism:no-threads
# tries: Runs code in a copy of the context.
import contextvars


def inside(function):
    return contextvars.copy_context().run(function)
