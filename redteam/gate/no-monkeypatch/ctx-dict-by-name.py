# role: architecture
# rule: prism:no-monkeypatch
# tries: Copy.copy(MethodType(f, holder.ctx)) with the name _session.
import copy
import types


def probe(x):
    return x


probe.__name__ = "_ses" + "sion"


class Holder:
    def __init__(self, ctx):
        self.ctx = ctx


def build_model(ctx):
    return copy.copy(types.MethodType(probe, Holder(ctx).ctx))
