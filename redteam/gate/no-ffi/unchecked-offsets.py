# role: helper
# rule: prism:no-ffi
# tries: Reads memory of others by offsets that are not checked.
import torch


def peek(x, n):
    return torch.segment_reduce(x, "max", offsets=torch.tensor([n, n + 1]), unsafe=True)
