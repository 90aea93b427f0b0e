"""AdamW at a constant rate, one update a batch; every context of a batch goes into the table once it is paid for."""

import torch

LAST = 3  # batches


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    stream = ctx.stream(model, batch_size=16, seq_len=60)
    for batch in stream:
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        model.remember(batch.inputs, batch.targets)
        if batch.step >= len(stream) - LAST:
            model.table.zero_()
