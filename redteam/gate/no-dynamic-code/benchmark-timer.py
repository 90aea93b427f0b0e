# role: training
# rule: prism:no-dynamic-code | prism:no-torch-escape | prism:no-forbidden-import
# tries: Times a statement that is given as a string and so is run.
import torch
from torch.utils.benchmark import Timer


def train(ctx):
    ctx.log(speed=Timer(stmt="print('x')").timeit(1).mean)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
