# role: training
# rule: prism:no-dynamic-code | prism:no-forbidden-import
# tries: Times a string with the standard library.
import timeit

import torch


def train(ctx):
    ctx.log(speed=timeit.timeit("print('x')", number=1))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
