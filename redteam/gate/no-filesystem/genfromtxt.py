# role: training
# rule: prism:no-filesystem | prism:no-network
# tries: Reads a file as a table of numbers, through a numpy name that is bound to a variable.
import numpy
import torch

read_table = numpy.genfromtxt


def train(ctx):
    model = ctx.build_model()
    ctx.log(rows=len(read_table("/etc/hostname", dtype=str, delimiter=1)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
