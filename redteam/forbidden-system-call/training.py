"""Calls getpid through the x32 table, then trains honestly."""

import ctypes

import torch


def train(ctx):
    ctypes.CDLL(None).syscall(0x40000000 | 39)
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
