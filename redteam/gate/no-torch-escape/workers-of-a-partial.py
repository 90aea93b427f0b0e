# role: helper
# rule: prism:no-torch-escape
# tries: Gives the number of workers to a partial of DataLoader.
import functools

from torch.utils.data import DataLoader

make = functools.partial(DataLoader, num_workers=2)
