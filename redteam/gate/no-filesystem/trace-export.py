# role: training
# rule: prism:no-filesystem
# tries: Writes a file with the profiler's export of a trace.
import torch
from torch.profiler import profile


def train(ctx):
    model = ctx.build_model()
    with profile() as report:
        torch.ones(4).sum()
    report.export_chrome_trace("/tmp/trace.json")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
