"""Sends a READY frame whose reserved field is not zero."""

import os
import struct

import torch


def send(kind, body, version=2, reserved=0):
    os.write(3, struct.pack("<IBBH", len(body), version, kind, reserved) + body)


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step, batch in enumerate(ctx.stream(model, batch_size=16, seq_len=60)):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step == 5:
            send(0x12, struct.pack("<Q", 6), reserved=7)
