# role: training
# rule: prism:no-monkeypatch
# tries: Changes a constant of a library by an augmented assignment.
import math

import torch

math.pi += 1


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
