# role: architecture
# rule: prism:no-monkeypatch
# tries: The same with the name spelled out: f.__name__ = 'gi_frame'.
import copy
import types


def probe(x):
    return x


probe.__name__ = "f_builtins"


def walk(x):
    return x


walk.__name__ = "gi_frame"


def gen():
    yield 1


def build_model(ctx):
    g = gen()
    next(g)
    frame = copy.copy(types.MethodType(walk, g))
    return copy.copy(types.MethodType(probe, frame))["eval"]("1+1")
