import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
    for batch in ctx.stream(batch_size=32, seq_len=256):
        loss = batch.loss(model(batch.tokens))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
