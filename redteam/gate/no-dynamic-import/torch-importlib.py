# role: helper
# rule: prism:no-dynamic-import | prism:no-torch-escape
# tries: Uses the importlib that torch.nn.functional keeps.
import torch.nn.functional as F


def backend():
    return F.importlib.import_module("os")
