# role: training
# rule: prism:no-harness-access
# tries: A wrapper that hands on nothing: the default of ctx counts.
import functools

import torch


class Fake:
    artifacts_dir = "/tmp/atk/escape"


def clean(entry):
    def wrapper(ctx):
        return entry()

    return wrapper


@clean
def train(ctx=Fake()):
    print("PWNED train was called with a ctx that says" if ctx.artifacts_dir == "/tmp/atk/escape" else "called", ctx.artifacts_dir)
