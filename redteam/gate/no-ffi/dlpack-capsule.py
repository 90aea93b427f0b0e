# role: helper
# rule: prism:no-ffi | prism:no-torch-escape
# tries: Makes a tensor from a capsule, whose pointer is whatever its maker wrote.
from torch.utils.dlpack import from_dlpack as borrow


def tensor_of(capsule):
    return borrow(capsule)
