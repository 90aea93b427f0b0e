"""Adam with the auxiliary loss fading out; imports from architecture beside build_model."""

import torch
from architecture import build_model as make, future_loss


def train(ctx):
    model = make(ctx).to(ctx.device)
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    stream = ctx.stream(model, batch_size=8, seq_len=64)
    n = len(stream)
    for batch in stream:
        every = model(batch.inputs, all_heads=True)
        first = batch.loss(every[0])
        aux = future_loss(every, batch.tokens, batch.mask)
        weight = 0.3 * (1 - batch.step / n)
        opt.zero_grad()
        (first + weight * aux).backward()
        opt.step()
