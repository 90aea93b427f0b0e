# role: helper
# rule: prism:no-torch-escape | prism:no-ffi
# tries: Frees memory of the device by its address.
import torch

torch.cuda.caching_allocator_delete(4096)
