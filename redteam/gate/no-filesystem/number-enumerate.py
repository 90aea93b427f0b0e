# role: architecture
# rule: prism:no-filesystem
# tries: Enumerate(x, start=own) gives the own number itself where it is large: its text is a path.
import torch


class Big(int):
    def __format__(self, spec):
        return "/../../tmp/prism-escaped/number"


def build_model(ctx):
    for step, _ in enumerate([0], Big(2**70)):
        torch.save(torch.zeros(1), f"{ctx.artifacts_dir}/{step}.pt")
    return "written /tmp/prism-escaped/number.pt"
