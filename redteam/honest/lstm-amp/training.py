"""Dropout, hence claims="eval"; float16 autocast with a GradScaler where there is a GPU."""

import torch
from torch.amp import GradScaler, autocast


def train(ctx):
    use_amp = ctx.device == "cuda"
    model = ctx.build_model().to(ctx.device)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    scaler = GradScaler(enabled=use_amp)
    stream = ctx.stream(model, batch_size=16, seq_len=64, claims="eval")
    for batch in stream:
        with autocast(device_type=ctx.device, dtype=torch.float16, enabled=use_amp):
            loss = batch.loss(model(batch.inputs))
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        scaler.step(optimizer)
        scaler.update()
    model.eval()
