# role: helper
# rule: prism:no-dynamic-attr
# tries: Lets a function for pruning read the globals of a function.
import torch.nn.utils.prune as prune


def probe():
    return 0


prune.identity(probe, "__globals__")
