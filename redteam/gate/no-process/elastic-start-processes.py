# role: training
# rule: prism:no-process | prism:no-torch-escape | prism:no-forbidden-import
# tries: Starts a command through the launcher that torch.distributed brings along.
import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, start_processes


def train(ctx):
    model = ctx.build_model()
    start_processes("w", "/usr/bin/id", {0: ()}, {0: {}}, DefaultLogsSpecs(ctx.artifacts_dir))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
