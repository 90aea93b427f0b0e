# role: training
# rule: prism:no-threads
# tries: Imports the C module below threading.
import torch
from _thread import start_new_thread as later


def train(ctx):
    later(print, ("x",))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
