"""Logs a hundred thousand metrics after five batches."""

import os
import socket
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
            body = struct.pack("<BB", 1, 60) + b"x" * 60 + struct.pack("<d", 1.0)
            log = struct.pack("<IBBH", len(body), 2, 0x17, 0) + body
            channel = socket.socket(fileno=os.dup(3))
            for _ in range(1_000):
                channel.sendall(log * 100)
