# role: helper
# rule: prism:no-torch-escape
# tries: Starts workers in a subclass of DataLoader.
from torch.utils.data import DataLoader


class Loader(DataLoader):
    def __init__(self, dataset):
        super().__init__(dataset, num_workers=2)
