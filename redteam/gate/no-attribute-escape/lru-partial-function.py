# role: architecture
# rule: prism:no-attribute-escape
# tries: @functools.lru_cache(functools.partial) keeps the function as .func, whose calls are not seen.
import functools


@functools.lru_cache(functools.partial)
def read(thing, name="shape"):
    return getattr(thing, name)


def victim():
    pass


def build_model(ctx):
    return read.func(victim, "__globals__")["__builtins__"]["eval"]("1+1")
