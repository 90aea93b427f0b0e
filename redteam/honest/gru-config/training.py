"""Everything typed; the schedule is picked with match on an enum and on tuples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import torch
from prism_runtime import Context
from torch import nn

from config import DEFAULT_TRAIN, Schedule, TrainConfig, describe

Factor: TypeAlias = Callable[[int], float]


def make_factor(schedule: Schedule, total: int) -> Factor:
    match (schedule, total):
        case (_, 0 | 1):
            return lambda step: 1.0
        case (Schedule.CONSTANT, _):
            return lambda step: 1.0
        case (Schedule.LINEAR, int(n)) if n > 1:
            return lambda step: 1.0 - step / n
        case (Schedule.COSINE, n):
            return lambda step: 0.5 * (1 + math.cos(math.pi * step / n))
        case [first, *rest]:
            raise ValueError(f"{first}: {rest}")
    raise AssertionError("unreachable")


@contextmanager
def training_mode(module: nn.Module) -> Iterator[nn.Module]:
    was = module.training
    module.train()
    try:
        yield module
    finally:
        module.train(was)


def train(ctx: Context) -> None:
    config: TrainConfig = DEFAULT_TRAIN
    print(describe(config))
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.lr, betas=config.betas)
    stream = ctx.stream(model, batch_size=config.batch_size, seq_len=config.seq_len)
    factor = make_factor(config.schedule, len(stream))
    with training_mode(model):
        for batch in stream:
            for group in optimizer.param_groups:
                group["lr"] = config.lr * factor(batch.step)
            loss: torch.Tensor = batch.loss(model(batch.inputs))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
