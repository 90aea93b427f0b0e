# role: architecture
# rule: prism:no-dynamic-attr
# tries: Getattr(functools, 'singledispatch') is not seen to hand classes out.
import functools
import types
import warnings

single = getattr(functools, "singledispatch")
NAMES = {"registry": 1}


class Own:
    def read(self):
        return vars(self)


@single
def show(x):
    return x


@show.register
def _(x: Own):
    return x


def build_model(ctx):
    kinds = [kind for kind in show.registry]
    read = kinds[-1].read
    d = read(warnings.catch_warnings())
    d = read(d["_module"])
    return d["sys"].modules["os"].getpid()
