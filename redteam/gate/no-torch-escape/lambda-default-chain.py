# role: helper
# rule: prism:no-torch-escape
# tries: Reaches torch.hub through defaults of nested lambdas.
import torch

LOAD = (lambda t=torch: (lambda u=t: u.hub.load))()()
