"""Opens the stream twice, with different shapes."""

import itertools

import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    first = itertools.islice(ctx.stream(model, batch_size=16, seq_len=60), 5)
    second = ctx.stream(model, batch_size=32, seq_len=30)
    for batch in itertools.chain(first, second):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
