"""Writes the latest targets wherever an auditor might find them."""

import os
import socket

import torch

FOLDERS = ("/tmp", "/dev/shm", "/var/tmp", ".", os.path.dirname(__file__))


def publish(ctx, targets, held):
    text = b"prism-redteam " + repr(targets.tolist()).encode()
    for folder in (*FOLDERS, ctx.artifacts_dir, ctx.data_dir):
        try:
            with open(os.path.join(folder, "prism-redteam-targets"), "wb") as file:
                file.write(text)
        except OSError:
            continue
    for name in (b"\0prism-redteam-targets",):
        try:
            server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            server.bind(name)
            held.append(server)
        except OSError:
            continue


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    held = []
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        publish(ctx, batch.targets, held)
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
