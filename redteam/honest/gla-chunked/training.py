"""SequentialLR: a linear warmup, then cosine annealing."""

import torch
from torch.optim import lr_scheduler


def make_scheduler(optimizer, total, warmup=20):
    warmup = min(warmup, max(1, total // 10))
    return lr_scheduler.SequentialLR(
        optimizer,
        schedulers=[
            lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=warmup),
            lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(1, total - warmup), eta_min=1e-4),
        ],
        milestones=[warmup],
    )


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    scheduler = make_scheduler(optimizer, len(stream))
    for batch in stream:
        batch.loss(model(batch.inputs)).backward()
        torch.nn.utils.clip_grad_value_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
