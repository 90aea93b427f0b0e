# role: helper
# rule: prism:no-torch-escape
# tries: Raises the number of workers of a DataLoader after it was made.
from torch.utils.data import DataLoader


def loader(dataset):
    made = DataLoader(dataset)
    made.num_workers = 2
    return made
