# role: architecture
# rule: prism:no-dynamic-attr
# tries: A mapping keeps what a scheduler takes from it, so that the state is the dictionary of a function.

import warnings

import torch


def inside(thing):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, 0.1, 0.2)
    state = scheduler.state_dict()
    scheduler.load_state_dict(Kept(state, thing))
    return scheduler.state_dict()["_scale_fn_custom"]


class Kept(dict):
    def __init__(self, state, thing):
        super().__init__(state)
        self["_scale_fn_custom"] = thing

    def pop(self, key):
        return None


def run():
    d = inside(inside(warnings.catch_warnings())["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
