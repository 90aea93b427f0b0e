"""AdamW with cosine restarts and a lazily made logger of means."""

from collections import defaultdict

import torch


class Meter(defaultdict):
    """Means by name; a missing name starts at (0.0, 0)."""

    def __init__(self):
        super().__init__(lambda: (0.0, 0))

    def add(self, **values):
        for name, value in values.items():
            total, count = self[name]
            self[name] = (total + float(value), count + 1)

    def means(self):
        return {name: total / count for name, (total, count) in self.items() if count}


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=50, T_mult=2)
    meter = Meter()
    for i, batch in enumerate(ctx.stream(model, batch_size=8, seq_len=64)):
        loss = batch.loss(model(batch.inputs))
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        meter.add(loss=loss.detach(), lr=sched.get_last_lr()[0])
        if i % 25 == 24:
            ctx.log(**meter.means())
            meter.clear()
