# role: helper
# rule: prism:no-dynamic-attr
# tries: Hands on a module of torch.distributions that no list names.
import torch.distributions.normal

LOAD = [torch.distributions.normal][0].torch.hub.load
