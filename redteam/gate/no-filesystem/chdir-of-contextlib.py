# role: training
# rule: prism:no-filesystem | prism:no-process | prism:no-forbidden-import
# tries: Changes the working directory with a context manager of an allowed library.
from contextlib import chdir as section

import torch


def train(ctx):
    model = ctx.build_model()
    with section("/tmp"):
        pass
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
