# role: training
# rule: prism:single-node-bound | prism:no-torch-escape | prism:no-process
# tries: Gives the launcher its arguments as a list of words.
import torch
from torch.distributed.run import main as launch


def train(ctx):
    launch(["--nnodes=2", "--nproc_per_node=16", "worker.py"])
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
