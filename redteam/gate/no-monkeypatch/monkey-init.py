# role: architecture
# rule: prism:no-monkeypatch
# tries: A function of nn.init is replaced on a module that comes out of a list.
from torch import nn

box = [nn.init]


def own(*given, **more):
    return "replaced"


def build_model(ctx):
    box.pop().kaiming_uniform_ = own
    return nn.init.kaiming_uniform_(1)
