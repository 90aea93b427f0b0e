# role: training
# rule: prism:no-threads | prism:no-torch-escape
# tries: Registers code on a future of torch.
import torch


def train(ctx):
    future = torch.futures.Future()
    future.then(print)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
