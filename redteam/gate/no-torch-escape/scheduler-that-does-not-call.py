# role: helper
# rule: prism:no-torch-escape
# tries: Gives a scheduler a module for a function and takes its dictionary from `state_dict`.
import torch.nn.functional as F
from torch.optim.lr_scheduler import LambdaLR


class Flat(LambdaLR):
    def get_lr(self):
        return [0.1]


def names(optimizer):
    return Flat(optimizer, F).state_dict()["lr_lambdas"][0]
