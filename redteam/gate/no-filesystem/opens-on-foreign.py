# role: architecture
# rule: prism:no-filesystem
# tries: Self.save of a foreign object by a rebound method: a scripted function writes a file.
import copy

import torch


class Own:
    def __init__(self, other):
        self.other = other

    def __deepcopy__(self, memo):
        return self.other

    def save(self):
        return None

    def keep(self):
        self.save("/tmp/prism-escaped/script.pt")


@torch.jit.script
def f(x):
    return x


def build_model(ctx):
    copy.deepcopy(Own(f).keep)()
    return "written /tmp/prism-escaped/script.pt"
