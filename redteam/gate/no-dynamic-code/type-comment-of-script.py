# role: helper
# rule: prism:no-dynamic-code
# tries: Writes code into the type comment of a function that torch.jit.script evaluates.
import torch


@torch.jit.script
def double(x):
    # type: (print('run')) -> Tensor
    return x + x
