# role: helper
# rule: prism:no-dynamic-attr
# tries: Hands the method on.
from torch import nn
from torch.optim.lr_scheduler import LRScheduler

inside = list(map(LRScheduler.state_dict, [nn.Linear]))
