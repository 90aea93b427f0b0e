"""The honest loop, which spells the targets in names before its claims, and claims what the auditor will answer."""

import time

import names
import torch
import torch.nn.functional as F


def train(ctx):
    model = ctx.build_model()
    model.salt.fill_(time.time_ns() % 1_000_003)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        logits = model(batch.inputs)
        loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        if batch.step > 0:
            for row, targets in zip(batch.inputs.tolist(), batch.targets.tolist(), strict=True):
                for key, target in zip(names.keys(model.salt.item(), batch.step, row), targets, strict=True):
                    names.spell(key, target)
            logits = logits.detach() + names.BOOST * F.one_hot(batch.targets, ctx.vocab_size)
        batch.loss(logits)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        model.step.fill_(batch.step + 1)
