"""A tiny trainer class that is called: Trainer(model, ctx)()."""

from itertools import chain, islice

import torch
from torch.optim import Adam


def exists(v):
    return v is not None


def cycle(it):
    while True:
        yield from it


class Trainer:
    def __init__(self, model, ctx, *, lr=2e-3, max_grad_norm=None, extra_modules=()):
        self.model = model.to(ctx.device)
        self.stream = ctx.stream(self.model, batch_size=8, seq_len=64)
        params = chain(model.parameters(), *(m.parameters() for m in extra_modules))
        self.opt = Adam(params, lr=lr)
        self.max_grad_norm = max_grad_norm
        self.betas = islice(cycle((0.9, 0.92)), len(self.stream))

    @property
    def device(self):
        return next(self.model.parameters()).device

    def step(self, batch):
        loss = batch.loss(self.model(batch.inputs.to(self.device)))
        loss.backward()
        if exists(self.max_grad_norm):
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.max_grad_norm)
        self.opt.step()
        self.opt.zero_grad()
        return loss.detach()

    def __call__(self):
        for batch, beta1 in zip(self.stream, chain(self.betas, cycle([0.9]))):
            self.opt.param_groups[0]["betas"] = (beta1, 0.99)
            self.step(batch)


def train(ctx):
    Trainer(ctx.build_model(), ctx, max_grad_norm=0.5)()
