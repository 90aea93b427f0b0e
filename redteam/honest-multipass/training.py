"""AdamW at a constant rate, three updates a batch, all after the claims."""

import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        for _ in range(3):
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            loss = batch.loss(model(batch.inputs))  # a further call sends nothing
