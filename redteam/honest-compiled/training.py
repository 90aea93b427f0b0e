"""AdamW at a constant rate, on the compiled model."""

import torch


def train(ctx):
    model = ctx.build_model()
    compiled = torch.compile(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for batch in ctx.stream(compiled, batch_size=16, seq_len=60):
        loss = batch.loss(compiled(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
