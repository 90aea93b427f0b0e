# role: helper
# rule: prism:no-dynamic-attr
# tries: Hands on a module that cannot be imported but is reached by its names.
import torch

LOAD = [torch.distributed.algorithms.join][0].torch.hub.load
