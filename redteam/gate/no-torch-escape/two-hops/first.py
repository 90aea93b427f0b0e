import torch

tools = torch.utils
