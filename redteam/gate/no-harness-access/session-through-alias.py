# role: training
# rule: prism:no-harness-access
# tries: Gives ctx another name before it reads a private attribute.
import torch


def train(ctx):
    context = settings = ctx
    print(settings._session)
    model = context.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
