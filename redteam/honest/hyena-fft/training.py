"""Adamax, and a learning rate by hand."""

import torch

filter = "implicit"  # the group that gets a lower rate; shadows a builtin on purpose


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    slow = [p for n, p in model.named_parameters() if filter in n]
    fast = [p for n, p in model.named_parameters() if filter not in n]
    opt = torch.optim.Adamax([{"params": slow, "lr": 5e-4}, {"params": fast}], lr=3e-3)
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        opt.zero_grad()
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        opt.step()
