# role: training
# rule: prism:no-dynamic-code
# tries: Makes a function of a code object with the types module.
from types import FunctionType as Schedule

import torch


def train(ctx):
    rate = Schedule((lambda: 1e-3).__code__, {})
    model = ctx.build_model()
    ctx.log(rate=rate())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
