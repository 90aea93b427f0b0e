# role: training
# rule: prism:no-dynamic-attr
# tries: Asks hasattr about names that it makes, to learn what the harness has.
import torch


def train(ctx):
    model = ctx.build_model()
    found = [word for word in ("session", "channel") if hasattr(ctx, "_" + word)]
    ctx.log(found=len(found))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
