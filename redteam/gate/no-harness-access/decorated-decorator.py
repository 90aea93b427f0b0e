# role: training
# rule: prism:no-harness-access
# tries: The decorator before train is itself decorated: what stands there is another function.
import functools

import torch


class Fake:
    artifacts_dir = "/tmp/atk/escape"


def swap(function):
    def other(entry):
        entry(Fake())
        return entry

    return other


@swap
def clean(entry):
    def wrapper(ctx):
        return entry(ctx)

    return wrapper


@clean
def train(ctx):
    print("PWNED train was called with a ctx that says" if ctx.artifacts_dir == "/tmp/atk/escape" else "called", ctx.artifacts_dir)
