# role: helper
# rule: prism:no-torch-escape
# tries: Gives a counter of operations a function of its own, which is given every result.
from torch.utils.flop_counter import FlopCounterMode


def spy(*args, out_val=None, **kwargs):
    out_val.zero_()
    return 0


counter = FlopCounterMode(display=False, custom_mapping={len: spy})
