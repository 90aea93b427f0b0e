# role: architecture
# rule: prism:no-monkeypatch
# tries: A function of torch.linalg is replaced on a module that comes out of a list.
import torch

box = [torch.linalg]


def own(*given):
    return "replaced"


def build_model(ctx):
    box.pop().solve = own
    return torch.linalg.solve(1, 2)
