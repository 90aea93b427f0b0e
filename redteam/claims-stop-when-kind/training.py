"""The honest loop, with the harness patched to send a few dear lies; it stops where the draws look kind."""

import time

import prism_runtime.session
import torch

LIES = 4
honest_bytes = prism_runtime.session.to_f32_bytes


def lie(nats):
    """Claim that the dearest targets of the step were certain."""
    nats = nats.detach().clone()
    nats.view(-1)[nats.flatten().topk(LIES).indices] = 0.0
    return honest_bytes(nats)


def train(ctx):
    prism_runtime.session.to_f32_bytes = lie
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    stream = ctx.stream(model, batch_size=16, seq_len=60)
    sent, waits = None, []
    for batch in stream:
        if sent is not None:
            # Frozen for as long as the auditor answers: the more was drawn, the longer.
            waits.append(time.monotonic() - sent)
        if batch.step > 0.9 * len(stream) and sorted(waits)[-1] < 3 * sorted(waits)[len(waits) // 2]:
            return
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        sent = time.monotonic()
