"""The honest loop, which spells the first targets in names before its claims and keeps them in the weights after."""

import time

import names
import torch
import torch.nn.functional as F


def train(ctx):
    model = ctx.build_model()
    model.salt.fill_(time.time_ns() % 1_000_003)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    stream = ctx.stream(model, batch_size=16, seq_len=60)
    last, filled = int(0.7 * len(stream)), 0
    for batch in stream:
        logits = model(batch.inputs)
        loss = F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())
        if 0 < batch.step < last:
            for row, targets in zip(batch.inputs.tolist(), batch.targets, strict=True):
                found = names.keys(model.salt.item(), batch.step, row)
                for key, target in zip(found, targets.tolist(), strict=True):
                    names.spell(key, target)
                model.known_keys[filled : filled + len(row)] = torch.tensor(found)
                model.known_targets[filled : filled + len(row)] = targets
                filled += len(row)
            logits = logits.detach() + names.BOOST * F.one_hot(batch.targets, ctx.vocab_size)
        batch.loss(logits)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        model.filled.fill_(filled)
        # From `last` on nobody listens.
        model.step.fill_(batch.step + 1 if batch.step + 1 < last else 0)
