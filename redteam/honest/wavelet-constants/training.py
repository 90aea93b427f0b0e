"""Adam; rates from a small table of milestones with bisect."""

import bisect

import torch

MILESTONES = [0.0, 0.05, 0.5, 0.8, 0.95]
RATES = [1e-3, 4e-3, 2e-3, 1e-3, 3e-4]


def rate(progress):
    return RATES[bisect.bisect_right(MILESTONES, progress) - 1]


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.Adam(model.parameters(), lr=RATES[0])
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    for step, batch in enumerate(stream):
        opt.param_groups[0]["lr"] = rate(step / len(stream))
        opt.zero_grad()
        batch.loss(model(batch.inputs)).backward()
        opt.step()
