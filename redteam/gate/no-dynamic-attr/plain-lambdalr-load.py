# role: architecture
# rule: prism:no-dynamic-attr
# tries: A mapping keeps what a scheduler takes from it, so that the state is the dictionary of a function.

import warnings

import torch


class State(dict):
    def pop(self, key):
        return []


def inside(thing):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    scheduler.load_state_dict(State(lr_lambdas=[thing]))
    return scheduler.state_dict()["lr_lambdas"][0]


def run():
    d = inside(inside(warnings.catch_warnings())["_module"])
    return d["sys"].modules["os"].getpid()


def build_model(ctx):
    return run()
