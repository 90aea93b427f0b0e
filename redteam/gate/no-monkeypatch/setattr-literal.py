# role: training
# rule: prism:no-monkeypatch | prism:no-dynamic-attr
# tries: Uses setattr with a harmless literal, on a module.
import torch
from torch.nn import functional


def train(ctx):
    setattr(functional, "cross_entropy", lambda logits, targets, **options: logits.sum() * 0)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
