# role: training
# rule: prism:no-monkeypatch | prism:no-dynamic-attr
# tries: Has functools.update_wrapper copy a method of its own onto a class of torch.
import functools

import torch


class Quiet:
    def step(self, closure=None):
        return None


functools.update_wrapper(torch.optim.AdamW, Quiet, assigned=("step",), updated=())


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
