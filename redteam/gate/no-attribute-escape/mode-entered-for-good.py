# role: helper
# rule: prism:no-attribute-escape
# tries: Enters a device by its method, for all that the process does.
import torch

torch.device("meta").__enter__()
