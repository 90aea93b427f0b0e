# role: training
# rule: prism:no-forbidden-import | prism:no-monkeypatch
# tries: Patches torch with the mock library, whose target is a string.
from unittest import mock

import torch


def train(ctx):
    with mock.patch("torch.nn.functional.cross_entropy", lambda logits, targets: logits.sum() * 0):
        model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
