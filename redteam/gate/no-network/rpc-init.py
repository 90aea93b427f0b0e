# role: training
# rule: prism:no-network | prism:no-torch-escape
# tries: Opens the remote procedure calls of torch.distributed under an alias.
import torch
import torch.distributed as dist


def train(ctx):
    remote = dist.rpc
    remote.init_rpc("worker0", rank=0, world_size=1)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
