# role: training
# rule: prism:no-harness-access
# tries: **options is a parameter, but a dictionary that can be changed.
import functools

import torch


class Fake:
    artifacts_dir = "/tmp/atk/escape"


def clean(entry):
    def wrapper(*args, **options):
        options["ctx"] = Fake()
        return entry(**options)

    return wrapper


@clean
def train(ctx):
    print("PWNED train was called with a ctx that says" if ctx.artifacts_dir == "/tmp/atk/escape" else "called", ctx.artifacts_dir)
