# role: training
# rule: prism:no-dynamic-import | prism:no-forbidden-import
# tries: Has the configuration of logging resolve and call a dotted name.
import logging.config as report

import torch

LAYOUT = {"version": 1, "formatters": {"f": {"()": "os.getpid"}}}


def train(ctx):
    report.dictConfig(LAYOUT)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
