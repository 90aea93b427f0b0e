"""Leaves a child behind that sends READY frames for it."""

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
            if os.fork() == 0:
                while True:
                    os.write(3, struct.pack("<IBBHQ", 8, 2, 0x12, 0, step + 1))
                    time.sleep(0.01)
            os._exit(0)
