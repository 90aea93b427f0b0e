"""Adam for the network, counting for the counts; the batch is counted after it was predicted."""

import torch


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=64):
        loss = batch.loss(model(batch.inputs))
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            model.update(batch.inputs, batch.targets, batch.mask)
