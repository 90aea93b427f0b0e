# role: training
# rule: prism:single-node-bound
# tries: Keeps the size of the group in a constant that is a product.
import torch
from torch.distributed import init_process_group as join

NODES = 4
WORLD_SIZE = NODES * 8


def train(ctx):
    join("nccl", rank=ctx.rank, world_size=WORLD_SIZE)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
