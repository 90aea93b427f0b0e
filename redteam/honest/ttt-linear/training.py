"""AdamW; anomalies are looked for in the first steps only."""

import contextlib

import torch


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for batch in ctx.stream(model, batch_size=8, seq_len=48):
        watch = torch.autograd.detect_anomaly() if batch.step < 2 else contextlib.nullcontext()
        with contextlib.suppress(FloatingPointError), watch:
            loss = batch.loss(model(batch.inputs))
            opt.zero_grad()
            loss.backward()
            opt.step()
