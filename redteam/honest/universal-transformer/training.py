"""Noam schedule (inverse square root with warmup) through LambdaLR."""

import torch


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)
    noam = lambda s: 0.5 * 64**-0.5 * min((s + 1) ** -0.5, (s + 1) * 40**-1.5)
    sched = torch.optim.lr_scheduler.LambdaLR(opt, noam)
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        opt.zero_grad()
        batch.loss(model(batch.inputs)).backward()
        opt.step()
        sched.step()
