# role: training
# rule: prism:no-monkeypatch
# tries: Replaces the step of an optimizer class under a name that is bound twice.
import torch

kind = torch.optim.SGD
kind = torch.optim.AdamW


def train(ctx):
    kind.step = lambda self, closure=None: None
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
