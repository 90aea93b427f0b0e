# role: training
# rule: prism:no-network
# tries: Renames urlopen to read_table.
from urllib.request import urlopen as read_table

import torch


def train(ctx):
    model = ctx.build_model()
    ctx.log(rows=len(read_table("http://127.0.0.1:8000/table").read()))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
