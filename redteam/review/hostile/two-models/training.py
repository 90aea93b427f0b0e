import torch


def train(ctx):
    model = ctx.build_model().to(ctx.device)
    other = torch.nn.Embedding(ctx.vocab_size, ctx.vocab_size).to(ctx.device)
    optimizer = torch.optim.AdamW(other.parameters(), lr=3e-3)
    for batch in ctx.stream(model, batch_size=32, seq_len=128):
        loss = batch.loss(model(batch.inputs))
        (loss.detach() * other.weight.square().mean()).backward()
        optimizer.step()
        optimizer.zero_grad()
