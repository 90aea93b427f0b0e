# role: helper
# rule: prism:no-dynamic-attr
# tries: Reads the dictionary of an object by a method of another class.
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

inside = LRScheduler.state_dict(nn.Linear)
