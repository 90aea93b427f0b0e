"""Plain loop with OneCycleLR."""

import torch


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.NAdam(model.parameters(), lr=1e-3)
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=4e-3, total_steps=len(stream) + 1, pct_start=0.1
    )
    for batch in stream:
        loss = batch.loss(model(batch.inputs))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
