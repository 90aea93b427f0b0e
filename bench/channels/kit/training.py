"""The honest loop, which sends fresh bits in each step before its claims."""

import time

import lab
import road
import torch


def train(ctx):
    model = ctx.build_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    sender = lab.Sender()
    bits = sender.bits()
    for batch in ctx.stream(model, batch_size=4, seq_len=16):
        logits = model(batch.inputs)
        if lab.REVERSED:
            loss = road.listening(batch.loss, logits)
            if batch.step:
                lab.hear(batch.step, "auditor")
        else:
            if batch.step:
                sender.send(batch.step, bits)
            started = time.perf_counter()
            loss = batch.loss(logits)
            print("claimed", batch.step, f"{time.perf_counter() - started:.6f}", flush=True)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        bits = sender.bits()
        with torch.no_grad():
            model.step.fill_(batch.step + 1)
            if getattr(road, "CARRIED", False):
                model.carried[: len(bits)] = torch.tensor(bits, dtype=torch.float32)
