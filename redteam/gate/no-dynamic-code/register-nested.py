# role: training
# rule: prism:no-dynamic-code
# tries: A text in list[...] is evaluated, and may hand a module to an own __getitem__.
import functools

import torch


class Grab:
    def __getitem__(self, module):
        print("PWNED", module.modules["os"].listdir("/")[:4])
        return int


GRAB = Grab()


@functools.singledispatch
def show(x):
    return x


def train(ctx):
    try:

        @show.register
        def show_other(x: list["GRAB[torch.sys]"]):
            return x

    except TypeError as error:
        print(error)
