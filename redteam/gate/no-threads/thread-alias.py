# role: training
# rule: prism:no-threads
# tries: Starts a thread under a short name, beside the loop.
import threading as th

import torch


def train(ctx):
    model = ctx.build_model()
    th.Thread(target=print, args=("x",), daemon=True).start()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
