# role: training
# rule: prism:no-filesystem
# tries: Picks the numpy function that writes in a conditional expression.
import numpy as np
import torch


def train(ctx):
    model = ctx.build_model()
    keep = np.savez if ctx.rank == 0 else print
    keep("/tmp/weights", a=np.zeros(3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
