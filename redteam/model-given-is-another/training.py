"""The honest loop, with a model that `build_model` knows nothing of."""

import torch


def train(ctx):
    width = 16
    model = torch.nn.Sequential(
        torch.nn.Embedding(ctx.vocab_size, width), torch.nn.Linear(width, ctx.vocab_size)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
