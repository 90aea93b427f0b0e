# role: helper
# rule: prism:no-torch-escape
# tries: Gives the number of workers of a DataLoader by its place.
from torch.utils.data import DataLoader


def loader(dataset):
    return DataLoader(dataset, 4, False, None, None, 2)
