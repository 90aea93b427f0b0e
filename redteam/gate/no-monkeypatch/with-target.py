# role: training
# rule: prism:no-monkeypatch
# tries: Assigns by being the target of a with statement.
from contextlib import nullcontext

import torch


def train(ctx):
    with nullcontext(lambda *arguments, **options: None) as torch.use_deterministic_algorithms:
        model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in ctx.stream(model, batch_size=16, seq_len=256):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
