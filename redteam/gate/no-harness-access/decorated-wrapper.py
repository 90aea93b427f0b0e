# role: training
# rule: prism:no-harness-access
# tries: The wrapper is decorated: its decorator gets it and calls it with another ctx.
import functools

import torch


class Fake:
    artifacts_dir = "/tmp/atk/escape"


def keep(function):
    function(Fake())
    return function


def clean(entry):
    @keep
    def wrapper(ctx):
        return entry(ctx)

    return wrapper


@clean
def train(ctx):
    print("PWNED train was called with a ctx that says" if ctx.artifacts_dir == "/tmp/atk/escape" else "called", ctx.artifacts_dir)
