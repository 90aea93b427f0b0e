"""Adam with a metaclass-free plug-in registry of schedules, and `train` under a decorator."""

import functools
import math

import torch

SCHEDULES = {}


def schedule(name):
    def register(fn):
        SCHEDULES[name] = fn
        return fn

    return register


@schedule("cosine")
def cosine(t):
    return 0.5 * (1 + math.cos(math.pi * t))


@schedule("linear")
def linear(t):
    return 1 - t


def full_precision(fn):
    """Restores the matmul precision that the caller had."""

    @functools.wraps(fn)
    def wrapper(ctx, precision="highest"):
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(precision)
        try:
            return fn(ctx)
        finally:
            torch.set_float32_matmul_precision(before)

    return wrapper


@full_precision
def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    factor = SCHEDULES["cosine" if len(stream) > 10 else "linear"]
    for batch in stream:
        opt.param_groups[0]["lr"] = 2e-3 * factor(batch.step / len(stream))
        opt.zero_grad()
        batch.loss(model(batch.inputs)).backward()
        opt.step()
