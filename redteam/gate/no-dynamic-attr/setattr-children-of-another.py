# role: helper
# rule: prism:no-dynamic-attr
# tries: Asks one object for the names of its children and sets them on another that took its place.
import torch


def moved(net):
    for name, value in net.named_children():
        net = torch.nn
        setattr(net, name, value)
