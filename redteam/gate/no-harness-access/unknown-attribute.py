# role: training
# rule: prism:no-harness-access
# tries: Asks ctx for a public name that no version has documented.
import torch


def train(ctx):
    model = ctx.build_model()
    ctx.log(key=ctx.audit_key)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
