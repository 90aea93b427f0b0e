# role: training
# rule: prism:no-dynamic-attr | prism:no-harness-access
# tries: Writes an attribute of ctx past its own guard, by the method of object.
import torch


def train(ctx):
    model = ctx.build_model()
    object.__setattr__(ctx, "step_budget", 10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
