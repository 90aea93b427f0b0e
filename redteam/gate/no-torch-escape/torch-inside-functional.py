# role: helper
# rule: prism:no-torch-escape
# tries: Walks from torch.nn.functional back to torch and on to its private module.
import torch.nn.functional as F


def off():
    return F.torch._C._get_tracing_state()
