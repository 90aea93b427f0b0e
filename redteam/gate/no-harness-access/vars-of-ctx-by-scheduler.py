# role: training
# rule: prism:no-harness-access | prism:no-dynamic-attr
# tries: Reads what ctx holds by the state of a scheduler.
from torch.optim.lr_scheduler import StepLR


def train(ctx):
    print(StepLR.state_dict(ctx))
