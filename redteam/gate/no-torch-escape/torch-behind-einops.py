# role: helper
# rule: prism:no-torch-escape | prism:no-forbidden-import
# tries: Reaches torch.hub through the torch that a layer of einops imports.
import einops.layers.torch

LOAD = einops.layers.torch.torch.hub.load
