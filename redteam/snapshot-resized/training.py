"""The honest loop, which tries to resize descriptor 4 and to unseal it."""

import fcntl
import os

import torch


def shrink():
    for size_bytes in (0, 1, 1 << 40):
        try:
            os.ftruncate(4, size_bytes)
            print("ESCAPED resized the segment to", size_bytes, flush=True)
        except OSError:
            pass
    try:
        fcntl.fcntl(4, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
        print("ESCAPED sealed the segment", flush=True)
    except OSError:
        pass


def train(ctx):
    shrink()
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
