"""AdamW with a generator for the schedule: the loop asks it for the next rate."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from prism_runtime import Batch, Context


def rates(peak: float, total: int) -> Generator[float, float | None, None]:
    """Yields rates; a loss that is sent back above 20 nats halves the peak."""
    for step in range(total):
        loss = yield peak * min(1.0, (step + 1) / 10) * math.cos(0.45 * math.pi * step / total)
        if loss is not None and loss > 20:
            peak /= 2


def train(ctx: Context) -> None:
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0)
    stream: Iterable[Batch] = ctx.stream(model, batch_size=8, seq_len=40)
    schedule = rates(3e-3, len(stream))
    lr = next(schedule)
    for batch in stream:
        optimizer.param_groups[0]["lr"] = lr
        loss = batch.loss(model(batch.inputs))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        try:
            lr = schedule.send(loss.item())
        except StopIteration:  # after the last step
            lr = 0.0
