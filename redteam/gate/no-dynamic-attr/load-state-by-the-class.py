# role: helper
# rule: prism:no-dynamic-attr
# tries: Writes the dictionary of an object by a method of another class.
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

LRScheduler.load_state_dict(nn.Linear, {"forward": print})
