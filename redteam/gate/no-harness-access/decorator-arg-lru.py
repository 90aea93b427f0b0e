# role: training
# rule: prism:no-harness-access
# tries: @functools.lru_cache(keep) calls keep with train: the arguments of known decorators are not read.
import functools

import torch


class Fake:
    artifacts_dir = "/tmp/atk/escape"


def keep(entry):
    entry(Fake())
    return entry


@functools.lru_cache(keep)
def train(ctx):
    print("PWNED train was called with a ctx that says" if ctx.artifacts_dir == "/tmp/atk/escape" else "called", ctx.artifacts_dir)
