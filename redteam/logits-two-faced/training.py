"""Claims the leaked face of the result and trains on the honest one."""

import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        result = model(batch.inputs)
        batch.loss(result)
        _ = result.logits  # however often the harness has looked, the honest face is next
        loss = batch.loss(result)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
