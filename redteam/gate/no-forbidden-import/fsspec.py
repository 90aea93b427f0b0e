# role: training
# rule: prism:no-forbidden-import | prism:no-filesystem
# tries: Opens files and addresses with fsspec, which is installed because torch needs it.
import fsspec as data
import torch


def train(ctx):
    with data.open("/etc/hostname") as lines:
        ctx.log(letters=len(lines.read()))
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
