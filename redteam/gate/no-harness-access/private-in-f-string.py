# role: training
# rule: prism:no-harness-access
# tries: Reads a private attribute in the replacement field of an f-string, within a lambda.
import torch


def train(ctx):
    title = lambda: f"run {ctx._session!r}"
    print(title())
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
