import torch

platform_ops = torch.types.os
