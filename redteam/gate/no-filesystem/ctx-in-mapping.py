# role: architecture
# rule: prism:no-filesystem
# tries: The same: a parameter annotated as the context is given another directory.
from collections.abc import Mapping

import torch

functions = []


class Probe(Mapping):
    def __getitem__(self, key):
        functions.append(key)
        raise KeyError

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


class Fake:
    artifacts_dir = "/tmp/prism-escaped"


def keep(ctx: "Context"):
    torch.save(torch.zeros(1), f"{ctx.artifacts_dir}/mapping.pt")


def build_model(ctx):
    keep in Probe()
    functions[0](Fake())
    return "written /tmp/prism-escaped/mapping.pt"
