# role: architecture
# rule: prism:no-filesystem
# tries: Range(own, ...) gives what the own number's __add__ says.
import torch


class Big(int):
    def __add__(self, other):
        return Big(int(self))

    def __radd__(self, other):
        return Big(int(self))

    def __format__(self, spec):
        return "/../../tmp/prism-escaped/range"


def build_model(ctx):
    for step in range(Big(2**70), 2**70 + 1):
        torch.save(torch.zeros(1), f"{ctx.artifacts_dir}/{step}.pt")
    return "written /tmp/prism-escaped/range.pt"
