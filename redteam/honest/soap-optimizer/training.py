"""SOAP for all; the optimizer is in optim.py."""

import optim


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = optim.SOAP(model.parameters(), lr=3e-3, precondition_frequency=2)
    for batch in ctx.stream(model, batch_size=8, seq_len=64):
        loss = batch.loss(model(batch.inputs))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
