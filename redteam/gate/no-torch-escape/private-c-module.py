# role: helper
# rule: prism:no-torch-escape
# tries: Imports a function of torch._C under a short name.
from torch._C import _set_grad_enabled as mode


def off():
    mode(False)
