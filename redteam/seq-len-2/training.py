"""`seq_len=2` through the older interface: one input and one target a row."""

import torch
import torch.nn.functional as F


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.iter_train_batches(model, batch_size=960, seq_len=2):
        inputs, targets = batch.tokens[:, :-1], batch.tokens[:, 1:]
        loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
