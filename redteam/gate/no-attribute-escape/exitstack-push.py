# role: architecture
# rule: prism:no-attribute-escape
# tries: ExitStack hands the raw __exit__ of a plain class to _push_cm_exit of a class below.
import contextlib
import warnings

raws = []


class Own:
    def __enter__(self):
        return self

    def __exit__(self, *told):
        return vars(self)


class Stack(contextlib.ExitStack):
    def _push_cm_exit(self, cm, cm_exit):
        raws.append(cm_exit)


def build_model(ctx):
    Stack().enter_context(Own())
    read = raws[0]
    d = read(warnings.catch_warnings())
    d = read(d["_module"])
    return d["sys"].modules["os"].getpid()
