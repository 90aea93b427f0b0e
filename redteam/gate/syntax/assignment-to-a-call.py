# role: helper
# rule: prism:syntax
# tries: Assigns to the result of a call, so that a tree builder has to recover.
import torch

torch.nn.functional.cross_entropy(1, 2) = None
