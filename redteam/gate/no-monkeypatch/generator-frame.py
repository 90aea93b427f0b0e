# role: architecture
# rule: prism:no-monkeypatch
# tries: A generator's frame by copy.copy of a bound method.
import copy
import types


def probe(x):
    return x


def read(thing, name):
    probe.__name__ = name
    return copy.copy(types.MethodType(probe, thing))


def gen():
    yield 1


def build_model(ctx):
    g = gen()
    next(g)
    frame = read(g, "gi_" + "frame")
    back = read(frame, "f_" + "builtins")
    return back["eval"]("1+1")
