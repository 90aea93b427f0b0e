import torch as library
