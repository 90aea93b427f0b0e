# role: helper
# rule: prism:no-torch-escape
# tries: Writes the C of torch._C with a fullwidth letter.
import torch


def state():
    return torch._Ｃ._get_tracing_state()
