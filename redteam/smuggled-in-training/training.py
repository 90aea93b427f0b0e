"""The honest loop, which starts from the weights in `weights.py`."""

import torch
from weights import load_into


def train(ctx):
    model = ctx.build_model()
    load_into(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
