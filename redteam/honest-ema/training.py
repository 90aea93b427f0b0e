"""AdamW at a constant rate; a moving average of the weights predicts."""

import copy

import torch


def train(ctx):
    model = ctx.build_model()
    average = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=60, predictor=average):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            for mean, new in zip(average.parameters(), model.parameters(), strict=True):
                mean.lerp_(new, 0.1)
