import torch


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    print('pieces of the harness', str(ctx), str(ctx.stream))
    for batch in ctx.stream(model, batch_size=32, seq_len=128):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
