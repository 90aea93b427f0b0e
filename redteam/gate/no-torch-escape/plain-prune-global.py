# role: architecture
# rule: prism:no-torch-escape
# tries: `global_unstructured` hands an attribute by a computed name to a dictionary of its own.

import torch
from torch.nn.utils import prune


class Scores(dict):
    def get(self, key, value=None):
        self.value = value
        return torch.zeros(1)


def generator():
    yield 1


def read(of, name):
    scores = Scores()
    try:
        prune.global_unstructured([(of, name)], prune.L1Unstructured, importance_scores=scores, amount=1)
    except (AttributeError, TypeError):
        pass
    return scores.value


def run():
    frame = read(generator(), "gi_" + "frame")
    return read(frame, "f_" + "builtins")["open"]("/etc/hostname").read()


def build_model(ctx):
    return run()
