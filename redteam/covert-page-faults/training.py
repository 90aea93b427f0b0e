"""The honest loop, which reads pages that spell the first lane before its claims."""

import pages
import torch


def train(ctx):
    model = ctx.build_model()
    mapped = pages.map_it()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        logits = model(batch.inputs)
        pages.spell(mapped, batch.step, batch.targets[0].tolist())
        loss = batch.loss(logits)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        model.step.fill_(batch.step + 1)
