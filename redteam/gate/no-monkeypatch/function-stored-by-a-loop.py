# role: helper
# rule: prism:no-monkeypatch
# tries: Puts a function into the place of one of torch as the target of a loop.
import torch.nn.functional as F


def mine(x):
    return x


for [F].pop().relu in [mine]:
    pass
