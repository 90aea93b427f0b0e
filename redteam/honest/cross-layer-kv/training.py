"""Two optimizers in one closure-free wrapper: ASGD-like averaging at the end, AdamW before."""

import copy

import torch


class Optimizers:
    def __init__(self, *optimizers):
        self.optimizers = optimizers

    def __iter__(self):
        return iter(self.optimizers)

    def step(self):
        for o in self:
            o.step()

    def zero_grad(self):
        for o in self:
            o.zero_grad(set_to_none=True)


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    ema = copy.deepcopy(model).requires_grad_(False).eval()
    emb = [model.wte.weight, model.head.weight]
    ids = {id(p) for p in emb}
    rest = [p for p in model.parameters() if id(p) not in ids]
    opt = Optimizers(torch.optim.Adam(emb, lr=4e-3), torch.optim.AdamW(rest, lr=2e-3))
    for batch in ctx.stream(model, batch_size=8, seq_len=64, claims="eval", predictor=ema):
        batch.loss(model(batch.inputs)).backward()
        opt.step()
        opt.zero_grad()
        decay = min(0.98, (batch.step + 1) / (batch.step + 10))
        with torch.no_grad():
            for slow, fast in zip(ema.parameters(), model.parameters(), strict=True):
                slow.lerp_(fast, 1 - decay)
            for slow, fast in zip(ema.buffers(), model.buffers()):
                slow.copy_(fast)
