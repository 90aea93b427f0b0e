# role: helper
# rule: prism:no-process | prism:no-torch-escape
# tries: Reaches os through the module that a setting of torch.backends wraps.
import torch

LIBRARY = torch.backends.cudnn.m.torch.os
