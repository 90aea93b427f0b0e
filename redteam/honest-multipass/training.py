"""AdamW at a constant rate, three updates a batch, all after the claims."""

import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        for _ in range(3):
            loss = batch.loss(model(batch.inputs))  # only the first call of a batch claims
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
