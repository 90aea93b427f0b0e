# role: training
# rule: prism:no-process
# tries: Starts processes with torch.multiprocessing, as if to load data.
import torch
from torch.multiprocessing import spawn as launch


def worker(rank):
    torch.manual_seed(rank)


def train(ctx):
    launch(worker, nprocs=4, join=False)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
