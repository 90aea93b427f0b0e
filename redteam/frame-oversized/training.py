"""Announces a frame of four gigabytes after five batches."""

import os
import struct
import time

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
            os.write(3, struct.pack("<IBBH", 2**32 - 1, 2, 0x14, 0))
            time.sleep(1e6)
