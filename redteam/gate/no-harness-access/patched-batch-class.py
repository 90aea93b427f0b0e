# role: training
# rule: prism:no-harness-access | prism:no-monkeypatch
# tries: Replaces a method of the class of all batches.
import torch
from prism_runtime import Batch as Rows

Rows.loss = lambda self, logits: logits.sum() * 0


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
