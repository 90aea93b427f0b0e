# role: training
# rule: prism:no-gc-inspect | prism:no-process
# tries: Takes the traceback of the exception in flight from sys, without naming the exception.
import torch
from sys import exc_info as state


def train(ctx):
    model = ctx.build_model()
    try:
        model.missing()
    except AttributeError:
        print(state()[2])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
