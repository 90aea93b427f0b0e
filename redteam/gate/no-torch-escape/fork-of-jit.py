# role: helper
# rule: prism:no-torch-escape | prism:no-threads | prism:no-forbidden-import
# tries: Starts a task beside the loop with torch.jit.fork.
import torch


def beside(function, x):
    return torch.jit.fork(function, x)
