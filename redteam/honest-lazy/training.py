"""AdamW at a constant rate, once the layers know their sizes."""

import torch


def train(ctx):
    model = ctx.build_model()
    model(torch.zeros(1, 60, dtype=torch.int64))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
