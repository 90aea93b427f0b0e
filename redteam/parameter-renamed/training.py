"""The honest loop, which renames its embedding after five batches."""

import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    stream = ctx.stream(model, batch_size=16, seq_len=60)
    for step, batch in enumerate(stream):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step == 5:
            model.renamed = model.embedding
            del model.embedding
