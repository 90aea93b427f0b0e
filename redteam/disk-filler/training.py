"""Writes artifacts without end, uncaught."""

import os

import torch


def train(ctx):
    with open(os.path.join(ctx.artifacts_dir, "ballast"), "wb") as file:
        while True:
            file.write(bytes(1 << 20))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
