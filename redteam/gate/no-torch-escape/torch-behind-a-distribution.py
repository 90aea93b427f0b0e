# role: helper
# rule: prism:no-torch-escape | prism:no-forbidden-import
# tries: Reaches torch.hub through the torch that a distribution imports.
import torch.distributions.normal as normal

LOAD = normal.torch.hub.load
