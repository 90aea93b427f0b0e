"""Prints terminal escapes, then trains honestly."""

import torch


def train(ctx):
    print("\x1b[2J\x1b[H\x1b]0;owned\x07 bpb 0.01 \x1b[8m", "\x9b31m", "\r" * 10, flush=True)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
