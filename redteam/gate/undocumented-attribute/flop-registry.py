# role: architecture
# rule: prism:undocumented-attribute
# tries: The table of a FlopCounterMode is changed in place: own functions are called for every operation.
import torch
from torch.utils.flop_counter import FlopCounterMode

seen = []


def own(*given, **more):
    seen.append(given)
    return 1


def build_model(ctx):
    mode = FlopCounterMode(display=False)
    table = mode.flop_registry
    for op in list(table):
        table[op] = own
    with mode:
        torch.mm(torch.zeros(1, 1), torch.zeros(1, 1))
    return len(seen), str(list(table)[0])
