"""Raises an exception that cannot be printed and whose name is an escape sequence."""

import torch


class Hostile(Exception):
    def __str__(self):
        raise ValueError("cannot be printed")

    __repr__ = __str__


Hostile.__name__ = "\x1b[2J" + "x" * 100_000


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step, batch in enumerate(ctx.stream(model, batch_size=16, seq_len=60)):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step == 5:
            raise Hostile("\x1b[2J\x1b]0;owned\x07" * 10_000) from RecursionError("\x1b[31m")
