from architecture import torch as lib


def train(ctx):
    model = ctx.build_model()
    lib._C._set_grad_enabled(True)
    optimizer = lib.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
