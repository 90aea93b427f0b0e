# role: training
# rule: prism:no-torch-escape
# tries: Calls the class that a function has given back, with a number that is no literal.
from torch.utils.data import DataLoader


def same(x):
    return x


def train(ctx):
    model = ctx.build_model()
    count = len([model, ctx.seed])
    for rows in same(DataLoader)([1, 2], num_workers=count):
        print(rows)
