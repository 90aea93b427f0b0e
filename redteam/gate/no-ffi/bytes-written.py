# role: architecture
# rule: prism:no-ffi
# tries: Torch.frombuffer writes into bytes, which nobody may change: a constant of the code.
import torch


def constant():
    return b"never changes"


def build_model(ctx):
    t = torch.frombuffer(constant(), dtype=torch.uint8)
    t[0] = 78
    return constant()
