# role: helper
# rule: prism:no-filesystem
# tries: Annotates a parameter as the harness's and gives it another object.
import torch


class Fake:
    artifacts_dir = "/tmp"


def keep(c: "Context"):
    torch.save({}, f"{c.artifacts_dir}/x.pt")


keep(Fake())
