# role: helper
# rule: prism:no-torch-escape
# tries: Raises the workers of a loader in a function.
from torch.utils.data import DataLoader


def more(loader):
    loader.num_workers += 2


more(DataLoader([1]))
