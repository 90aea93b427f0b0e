# role: training
# rule: prism:no-deserialization
# tries: Loads an array of objects with numpy, with the keyword in a dict.
from numpy import load as read

import torch


def train(ctx):
    model = ctx.build_model()
    read(ctx.artifacts_dir + "/order.npy", **dict(allow_pickle=True))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
