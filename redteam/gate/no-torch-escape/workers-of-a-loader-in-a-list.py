# role: helper
# rule: prism:no-torch-escape
# tries: Takes DataLoader out of a list and starts workers.
from torch.utils.data import DataLoader


def loader(dataset):
    return [DataLoader][0](dataset, num_workers=2)
