"""Sends a FAILED frame with a reason that only the referee may give."""

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
            reason = b"sandbox_unavailable"
            fields = struct.pack("<BB", 3, len(reason)) + reason + struct.pack("<HHI", 0, 0, 0)
            send(0x06, fields)
