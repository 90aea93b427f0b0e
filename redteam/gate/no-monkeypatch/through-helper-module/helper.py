import torch.nn.functional as functions
