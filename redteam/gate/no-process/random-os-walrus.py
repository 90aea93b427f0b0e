# role: training
# rule: prism:no-process | prism:no-attribute-escape | prism:no-forbidden-import
# tries: Binds the private os of random with a walrus in a condition.
import random

import torch


def train(ctx):
    model = ctx.build_model()
    if (clock := random._os) and ctx.seed >= 0:
        clock.execv("/usr/bin/id", ["id"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
