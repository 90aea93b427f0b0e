# role: helper
# rule: prism:no-attribute-escape
# tries: Goes from an object to the base of its class.
import torch

base = torch.ones(1).__class__.__base__
