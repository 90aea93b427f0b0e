# role: training
# rule: prism:no-torch-escape
# tries: Starts workers of a DataLoader, with code of its own in each.
import torch
from torch.utils.data import DataLoader


def greet(worker):
    print("worker", worker)


def train(ctx):
    model = ctx.build_model()
    list(DataLoader(range(8), num_workers=4, worker_init_fn=greet))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
