# role: architecture
# rule: prism:no-attribute-escape
# tries: AsyncExitStack hands the raw __exit__ of a plain class to a class below.
import contextlib

import torch.nn.functional as F

raws = []


class Own:
    def __enter__(self):
        return self

    def __exit__(self, *told):
        return vars(self)


class Stack(contextlib.AsyncExitStack):
    def _push_cm_exit(self, cm, cm_exit):
        raws.append(cm_exit)


def build_model(ctx):
    Stack().push(Own())
    torch = raws[0](F)["torch"]
    return raws[0](torch)["os"].getpid()
