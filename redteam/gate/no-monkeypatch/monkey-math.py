# role: architecture
# rule: prism:no-monkeypatch
# tries: A function of math is replaced on a module that comes out of a list.
import math

box = [math]


def own(*given, **more):
    return "replaced"


def build_model(ctx):
    box.pop().sqrt = own
    return math.sqrt(1)
