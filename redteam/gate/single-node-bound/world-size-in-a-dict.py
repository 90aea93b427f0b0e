# role: training
# rule: prism:single-node-bound
# tries: Passes the size of the group in unpacked keywords.
import torch
import torch.distributed as dist

GROUP = {"backend": "gloo", "world_size": 16, "rank": 0}


def train(ctx):
    dist.init_process_group(**GROUP)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
