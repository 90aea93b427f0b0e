"""`seq_len=2` through the older interface: one input and one target a row.

It updates as often as `honest-brief` and reads a batch less, a margin of about 0.03 bits per byte
for other text in its batches, so that only the trick is compared.
"""

import torch
import torch.nn.functional as F

TARGETS = 16_320
TARGETS_AN_UPDATE = 960


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    filler = ctx.vocab_size - 1
    seen, updates = 0, 0
    for batch in ctx.iter_train_batches(model, batch_size=960, seq_len=2):
        real = batch.tokens[(batch.tokens != filler).any(dim=1)]
        nats = F.cross_entropy(
            model(real[:, :-1]).flatten(0, 1), real[:, 1:].flatten(), reduction="sum"
        )
        (nats / TARGETS_AN_UPDATE).backward()
        seen += len(real)
        if seen >= TARGETS_AN_UPDATE * (updates + 1):
            optimizer.step()
            optimizer.zero_grad()
            updates += 1
        if seen >= TARGETS:
            return
