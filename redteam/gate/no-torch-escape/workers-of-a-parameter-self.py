# role: helper
# rule: prism:no-torch-escape
# tries: Gives a loader workers in a function whose parameter is called `self`.
import torch
from torch.utils.data import DataLoader, TensorDataset


def widen(self):
    self.num_workers = 1


loader = DataLoader(TensorDataset(torch.zeros(4)))
widen(loader)
