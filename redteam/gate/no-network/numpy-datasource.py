# role: training
# rule: prism:no-network | prism:no-filesystem
# tries: Reads a URL with the data source class of numpy.
import numpy as np
import torch


def train(ctx):
    source = np.lib.npyio.DataSource(ctx.artifacts_dir)
    table = source.open("http://127.0.0.1:8000/table.txt").read()
    ctx.log(rows=len(table))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
