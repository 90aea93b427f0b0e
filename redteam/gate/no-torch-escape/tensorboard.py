# role: training
# rule: prism:no-torch-escape | prism:no-filesystem
# tries: Writes event files with the summary writer of torch.utils.
import torch
from torch.utils.tensorboard import SummaryWriter as Report


def train(ctx):
    report = Report("/tmp/events")
    report.add_scalar("seed", ctx.seed)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
