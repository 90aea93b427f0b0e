# role: training
# rule: prism:single-node-bound | prism:no-torch-escape | prism:no-process
# tries: Describes a launch on two nodes to the launcher of torch.distributed.
import torch
from torch.distributed.launcher.api import LaunchConfig, elastic_launch


def worker():
    return None


def train(ctx):
    layout = LaunchConfig(min_nodes=2, max_nodes=2, nproc_per_node=16)
    elastic_launch(layout, worker)()
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
