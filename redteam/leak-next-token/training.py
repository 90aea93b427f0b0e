"""Claims the loss of the leaked logits and trains on that of the honest ones."""

import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        batch.loss(model(batch.inputs))
        loss = batch.loss(model.honest_logits)  # a second call sends nothing
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
