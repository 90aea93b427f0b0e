# role: training
# rule: prism:no-filesystem | prism:no-torch-escape
# tries: Opens files with a data pipe of torch.utils.data.
import torch
from torch.utils.data.datapipes.iter import FileOpener, IterableWrapper


def train(ctx):
    model = ctx.build_model()
    for name, stream in FileOpener(IterableWrapper(["/etc/hostname"]), mode="r"):
        ctx.log(letters=len(stream.read()))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
