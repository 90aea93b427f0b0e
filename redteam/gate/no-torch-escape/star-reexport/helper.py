import torch as nets
