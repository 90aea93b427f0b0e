"""Sends half of a CLAIMS frame and leaves."""

import os
import struct

import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step, batch in enumerate(ctx.stream(model, batch_size=16, seq_len=60)):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step == 5:
            os.write(3, struct.pack("<IBBH", 1000, 2, 0x14, 0) + b"half")
            os._exit(0)
