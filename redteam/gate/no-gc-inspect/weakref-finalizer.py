# role: training
# rule: prism:no-gc-inspect
# tries: Registers code for the end of the process by a finalizer.
import torch
from weakref import finalize as after


def train(ctx):
    model = ctx.build_model()
    after(model, print, "x")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
