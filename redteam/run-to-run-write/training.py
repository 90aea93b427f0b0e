"""The honest loop, which leaves each target behind under its place in the stream."""

import names
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        for place, target in enumerate(batch.targets.flatten().tolist()):
            names.spell(batch.step * batch.targets.numel() + place, target)
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
