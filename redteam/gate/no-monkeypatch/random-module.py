# role: training
# rule: prism:no-monkeypatch
# tries: Makes the random numbers of a library constant.
import random

import torch

random.Random.random = lambda self: 0.5


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
