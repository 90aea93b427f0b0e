# role: training
# rule: prism:no-harness-access
# tries: Passes ctx to a function of the same file that reads a private attribute.
import torch


def budget(source):
    return source._session


def train(ctx):
    print(budget(ctx))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
