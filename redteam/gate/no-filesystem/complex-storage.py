# role: helper
# rule: prism:no-filesystem
# tries: Uses a storage class that the list of storages forgot.
import torch

KIND = torch.ComplexFloatStorage
