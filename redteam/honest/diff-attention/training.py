"""Adafactor of torch.optim, with relative steps; z-loss beside the cross-entropy."""

import torch


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.Adafactor(model.parameters(), lr=1e-2, weight_decay=0.01)
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        logits = model(batch.inputs)
        loss = batch.loss(logits)
        z = torch.logsumexp(logits.float(), dim=-1)[batch.mask].square().mean()
        optimizer.zero_grad()
        (loss + 1e-4 * z).backward()
        optimizer.step()
