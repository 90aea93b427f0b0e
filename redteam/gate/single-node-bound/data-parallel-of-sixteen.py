# role: training
# rule: prism:single-node-bound
# tries: Copies the model to sixteen GPUs with DataParallel.
import torch
from torch import nn

GPUS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]


def train(ctx):
    model = ctx.build_model()
    parallel = nn.DataParallel(model, device_ids=GPUS)
    print(parallel)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
