# role: training
# rule: prism:single-node-bound
# tries: Makes a group of the ranks from 0 to 15.
import torch
import torch.distributed as dist


def train(ctx):
    model = ctx.build_model()
    dist.new_group(ranks=list(range(16)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
