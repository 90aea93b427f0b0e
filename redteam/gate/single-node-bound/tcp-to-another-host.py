# role: training
# rule: prism:single-node-bound
# tries: Joins a group of sixteen processes that is led by another machine.
import torch
import torch.distributed as dist


def train(ctx):
    dist.init_process_group("nccl", init_method="tcp://10.0.0.1:29500", world_size=16, rank=ctx.rank)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
