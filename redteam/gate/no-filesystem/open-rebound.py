# role: training
# rule: prism:no-filesystem
# tries: Rebinds open to another name at module level.
import torch

read = open


def train(ctx):
    model = ctx.build_model()
    ctx.log(letters=len(read("/etc/hostname").read()))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
